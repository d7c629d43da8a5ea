//! A headless Chromium, told what to do in its own protocol over a WebSocket.

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// As Debian calls it, and as others do.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Longer than any answer takes; only one that never comes ends the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps what went wrong in a page.
const NOTICE: &str = "addEventListener('error', (found) => { window.wrong = found.error; });
    addEventListener('unhandledrejection', (found) => { window.wrong = found.reason; });";

/// A browser with one page, ended when it is dropped.
pub(crate) struct Chromium {
    process: Child,
    socket: WebSocket<TcpStream>,
    session: String,
    sent: u64,
    /// What went wrong in the page, and what it asked the network for.
    complaints: Vec<String>,
    /// Its profile, and the pages that it is shown.
    folder: TempDir,
}

impl Chromium {
    /// Starts it, or says why there is none.
    pub(crate) fn start() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let found = NAMES.iter().find_map(|name| launch(name, folder.path()).ok());
        let mut process = found.ok_or_else(|| format!("none of {NAMES:?} can be started"))?;
        let errors = process.stderr.take().expect("it is a pipe");
        let mut lines = BufReader::new(errors).lines().map_while(Result::ok);
        let address =
            lines.find_map(|line| Some(line.strip_prefix("DevTools listening on ")?.to_owned()));
        let address = address.ok_or("Chromium ends before it listens")?;
        // What it complains of later is not read, but must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        let host =
            address.trim_start_matches("ws://").split('/').next().expect("text has a first part");
        let stream = TcpStream::connect(host).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
        let (socket, _) =
            tungstenite::client(&address, stream).map_err(|error| error.to_string())?;
        let (session, complaints) = (String::new(), Vec::new());
        let mut browser = Self { process, socket, session, sent: 0, complaints, folder };
        let target = browser.command("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = browser.command(
            "Target.attachToTarget",
            json!({ "targetId": target["targetId"], "flatten": true }),
        );
        browser.session = attached["sessionId"].as_str().expect("a session has a name").to_owned();
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility", "Performance"] {
            browser.command(&format!("{domain}.enable"), json!({}));
        }
        browser.command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": NOTICE }));
        Ok(browser)
    }

    /// Opens a page as a file, in a window of this size.
    pub(crate) fn open(&mut self, page: &str, hash: &str, (width, height): (u32, u32)) {
        let path = self.folder.path().join("page.html");
        std::fs::write(&path, page).expect("it can be written");
        self.resize(width, height);
        self.command("Page.navigate", json!({ "url": "about:blank" }));
        self.command("Page.navigate", json!({ "url": format!("file://{}{hash}", path.display()) }));
        self.until("document.readyState === 'complete'");
    }

    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", size);
    }

    /// Light or dark.
    pub(crate) fn prefer(&mut self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.command("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
    }

    /// What an expression says in the page, once it is settled.
    pub(crate) fn evaluate(&mut self, script: &str) -> Value {
        let options = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let result = self.command("Runtime.evaluate", options);
        assert!(result["exceptionDetails"].is_null(), "{result:#}");
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true, or fails when something goes wrong in the page.
    pub(crate) fn until(&mut self, script: &str) {
        let look = format!(
            "new Promise((done, fail) => {{ const look = () => window.wrong ? fail(window.wrong) : \
             ({script}) ? done(true) : setTimeout(look, 5); look(); }})"
        );
        self.evaluate(&look);
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.command("Input.dispatchKeyEvent", json!({ "type": kind, "key": key }));
        }
    }

    /// Clicks the middle of an element.
    pub(crate) fn click(&mut self, selector: &str) {
        let (x, y) = self.point(selector);
        for kind in ["mousePressed", "mouseReleased"] {
            let click = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.command("Input.dispatchMouseEvent", click);
        }
    }

    /// Moves the pointer to the middle of an element, and says where that is.
    pub(crate) fn point(&mut self, selector: &str) -> (f64, f64) {
        let place = self.evaluate(&format!(
            "(() => {{ const found = document.querySelector({selector:?}); \
             found.scrollIntoView({{ block: 'center' }}); \
             const box = found.getBoundingClientRect(); \
             return [box.left + box.width / 2, box.top + box.height / 2]; }})()"
        ));
        let [x, y] = [0, 1].map(|axis| place[axis].as_f64().expect("it has a place"));
        let moved = json!({ "type": "mouseMoved", "x": x, "y": y });
        self.command("Input.dispatchMouseEvent", moved);
        (x, y)
    }

    /// The role and the name of all that is there for who does not see it.
    pub(crate) fn accessible(&mut self) -> Vec<(String, String)> {
        let tree = self.command("Accessibility.getFullAXTree", json!({}));
        let nodes = tree["nodes"].as_array().expect("a tree has nodes");
        let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
        let seen = nodes.iter().filter(|node| node["ignored"] != true);
        seen.map(|node| (text(&node["role"]), text(&node["name"]))).collect()
    }

    /// How long the page has taken so far, and with what.
    pub(crate) fn costs(&mut self) -> String {
        let since = self.evaluate("Math.round(performance.now())");
        let metrics = self.command("Performance.getMetrics", json!({}));
        let of = |name: &str| {
            let metrics = metrics["metrics"].as_array().into_iter().flatten();
            let found = metrics.clone().find(|metric| metric["name"] == name);
            found.and_then(|metric| metric["value"].as_f64()).unwrap_or_default() * 1000.0
        };
        let names = ["ProcessTime", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"];
        let [processor, script, layout, style] = names.map(of);
        format!(
            "{since} ms and {processor:.0} ms of the processor, of which script {script:.0}, \
             layout {layout:.0}, style {style:.0}"
        )
    }

    /// Asserts that nothing went wrong in the page, and that it asked nobody for anything.
    pub(crate) fn check(&mut self) {
        self.evaluate("0");
        assert!(self.complaints.is_empty(), "{:#?}", self.complaints);
    }

    fn command(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut command = json!({ "id": self.sent, "method": method, "params": params });
        if !self.session.is_empty() {
            command["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(command.to_string())).expect("Chromium listens");
        loop {
            let message = self.socket.read().unwrap_or_else(|error| panic!("{method}: {error}"));
            let Ok(text) = message.to_text() else { continue };
            let Ok(said) = serde_json::from_str::<Value>(text) else { continue };
            if said["id"] == self.sent {
                assert!(said["error"].is_null(), "{method}: {said}");
                return said["result"].clone();
            }
            self.notice(&said);
        }
    }

    fn notice(&mut self, event: &Value) {
        let params = &event["params"];
        let is_wrong = match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => true,
            "Runtime.consoleAPICalled" => params["type"] == "error" || params["type"] == "assert",
            "Log.entryAdded" => params["entry"]["level"] == "error",
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                !["file:", "about:"].iter().any(|scheme| url.starts_with(scheme))
            }
            _ => false,
        };
        if is_wrong {
            self.complaints.push(event.to_string());
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn launch(name: &str, folder: &Path) -> std::io::Result<Child> {
    Command::new(name)
        // Its sandbox needs what containers do not give, and the pages are our own.
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--no-first-run", "--disable-extensions", "--disable-background-networking"])
        .args(["--remote-debugging-port=0", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
}
