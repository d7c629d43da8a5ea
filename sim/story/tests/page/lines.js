// Where the lines of text of a page are, and what they look like.

const shown = (found) => found.checkVisibility({ opacityProperty: true }) && found.getBoundingClientRect().width > 0;

/** Every text that is drawn, by lines. */
function drawn() {
  const texts = [...document.querySelectorAll("svg.story text")];
  return texts.flatMap((text) => (text.children.length > 0 ? [...text.children] : [text])).filter((text) => text.textContent);
}

/** Drawn texts that leave their drawing, and elements whose text does not fit and cannot be scrolled. */
function outside() {
  const left = drawn().filter((text) => {
    const [box, around] = [text.getBoundingClientRect(), text.closest("svg").getBoundingClientRect()];
    return box.left < around.left - 0.5 || box.right > around.right + 0.5 || box.right > innerWidth + 0.5;
  });
  const cut = [...document.querySelectorAll("main *")].filter((found) => {
    if (!shown(found) || found.closest("svg")) return false;
    const box = found.getBoundingClientRect();
    return box.right > innerWidth + 0.5 || box.left < -0.5 || (found.scrollWidth > found.clientWidth + 1 && found.clientWidth > 0 && getComputedStyle(found).overflowX === "hidden");
  });
  return [...left, ...cut].map((found) => `${found.tagName} ${found.textContent.slice(0, 80)}`);
}

/** Pairs of drawn texts, and of cells of a matrix, that lie on each other. */
function overlapping() {
  const things = [...drawn(), ...document.querySelectorAll("th span, td svg")].filter(shown);
  const boxes = things.map((text) => ({ text: text.textContent, svg: text.closest("svg.story"), box: text.getBoundingClientRect() }));
  const pairs = [];
  for (let i = 0; i < boxes.length; i++) {
    for (let j = i + 1; j < boxes.length; j++) {
      const [a, b] = [boxes[i].box, boxes[j].box];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (boxes[i].svg === boxes[j].svg && wide > 2 && high > 4) pairs.push(`${boxes[i].text} | ${boxes[j].text}`);
    }
  }
  return pairs;
}

function luminance([red, green, blue]) {
  const linear = [red, green, blue].map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

/** A colour of a style as red, green, blue and opacity, from 0 to 1. */
function parts(colour) {
  const canvas = (parts.canvas ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true }));
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
}

function contrast(one, other) {
  const [a, b] = [luminance(parts(one)), luminance(parts(other))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** What an element stands on: for what is drawn, all that it may stand on. */
function grounds(found) {
  const own = found.closest(".tag, .callout");
  if (own) return [getComputedStyle(own.querySelector("rect")).fill];
  if (found.closest("svg.story")) {
    const style = getComputedStyle(found.closest("svg"));
    const washes = found.closest(".head") ? [] : ["--fault-wash", "--bad-wash"];
    return ["--ground", ...washes].map((name) => style.getPropertyValue(name));
  }
  for (let place = found; place; place = place.parentElement) {
    const { backgroundColor } = getComputedStyle(place);
    if (parts(backgroundColor)[3] > 0.9) return [backgroundColor];
  }
  return ["white"];
}

/** Texts that stand out from their ground by less than 4.5 to 1. */
function faint() {
  const texts = [...document.querySelectorAll("body *")].filter((found) => {
    const own = [...found.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    return own && !found.closest("script, :disabled, .dim") && shown(found);
  });
  return texts.flatMap((found) => {
    const style = getComputedStyle(found);
    const colour = found.closest("svg") ? style.fill : style.color;
    const least = Math.min(...grounds(found).map((ground) => contrast(colour, ground)));
    return least < 4.5 ? [`${least.toFixed(2)} ${found.textContent.slice(0, 60)}`] : [];
  });
}
