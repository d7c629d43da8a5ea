//! Floating-point numbers as text.

use std::ops::Add;

use bytes::Bytes;
use rustc_apfloat::{Float, Round, ieee::X87DoubleExtended};

/// A number of 80 bits, in which `INCRBYFLOAT` and `HINCRBYFLOAT` add.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extended(X87DoubleExtended);

impl Default for Extended {
    fn default() -> Self {
        Self(X87DoubleExtended::ZERO)
    }
}

impl Add for Extended {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self((self.0 + other.0).value)
    }
}

impl Extended {
    /// Reads decimal notation, or an infinity.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        // Decides on the notation, and on what has a name.
        let near: f64 = text.parse().ok()?;
        if near.is_nan() {
            return None;
        }
        if near.is_infinite() && !text.bytes().any(|byte| byte.is_ascii_digit()) {
            let infinity = X87DoubleExtended::INFINITY;
            return Some(Self(if near < 0.0 { -infinity } else { infinity }));
        }
        let text = text.strip_prefix('+').unwrap_or(text);
        let parsed = X87DoubleExtended::from_str_r(text, Round::NearestTiesToEven).ok()?;
        (!parsed.value.is_infinite()).then_some(Self(parsed.value))
    }

    /// As C's `%.17Lf` writes it, without trailing zeros; `None` if it is infinite or no number.
    pub(super) fn text(self) -> Option<Bytes> {
        if !self.0.is_finite() {
            return None;
        }
        let bits = self.0.to_bits();
        let significand = bits as u64;
        let exponent = i32::from((bits >> 64) as u16 & 0x7fff) - 16_383 - 63;
        let (whole, fraction) = match u32::try_from(exponent) {
            Ok(shift) => (shifted(significand, shift), String::new()),
            Err(_) => split(significand, exponent.unsigned_abs()),
        };
        let fraction = fraction.trim_end_matches('0');
        let sign =
            if self.0.is_negative() && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        Some(format!("{sign}{whole}{point}{fraction}").into())
    }
}

/// `significand / 2^shift`, rounded to 17 digits behind the point.
fn split(significand: u64, shift: u32) -> (String, String) {
    const ONE: u128 = 100_000_000_000_000_000;
    let scaled = u128::from(significand) * ONE;
    let quotient = scaled.checked_shr(shift).unwrap_or(0);
    let rest = scaled - quotient.checked_shl(shift).unwrap_or(0);
    let half = 1_u128.checked_shl(shift.wrapping_sub(1)).unwrap_or(u128::MAX);
    let up = rest > half || rest == half && quotient % 2 == 1;
    let rounded = quotient + u128::from(up);
    ((rounded / ONE).to_string(), format!("{:017}", rounded % ONE))
}

/// `significand * 2^shift` in decimal.
fn shifted(significand: u64, mut shift: u32) -> String {
    const BASE: u64 = 1_000_000_000;
    let mut digits = vec![significand % BASE, significand / BASE % BASE, significand / BASE / BASE];
    while shift > 0 {
        let step = shift.min(30);
        let mut carry = 0;
        for digit in &mut digits {
            carry += *digit << step;
            *digit = carry % BASE;
            carry /= BASE;
        }
        if carry > 0 {
            digits.push(carry);
        }
        shift -= step;
    }
    let text: String = digits.iter().rev().map(|digit| format!("{digit:09}")).collect();
    let text = text.trim_start_matches('0');
    if text.is_empty() { "0".into() } else { text.into() }
}

/// `number` as Redis writes a score.
pub(super) fn double(number: f64) -> Bytes {
    // Whole numbers below it have one form, and are common.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let minus_zero = number == 0.0 && number.is_sign_negative();
    if number.fract() == 0.0 && number.abs() < EXACT && !minus_zero {
        return (number as i64).to_string().into();
    }
    seventeen_digits(number).into()
}

/// `number` as C's `%.17g` writes it.
pub(super) fn seventeen_digits(number: f64) -> String {
    digits(number, 17)
}

/// `number` as C's `%g` writes it with at most so many digits, at least one.
pub(super) fn digits(number: f64, most: usize) -> String {
    if !number.is_finite() {
        let sign = if number.is_sign_negative() { "-" } else { "" };
        return format!("{sign}{}", if number.is_nan() { "nan" } else { "inf" });
    }
    let fraction = most - 1;
    let scientific = format!("{number:.fraction$e}");
    let (digits, exponent) = scientific.split_once('e').expect("the format writes an exponent");
    let exponent: i32 = exponent.parse().expect("the format writes a number");
    let decimals = match usize::try_from(exponent) {
        Ok(exponent) if exponent < most => Some(fraction - exponent),
        Err(_) if exponent >= -4 => Some(fraction + exponent.unsigned_abs() as usize),
        _ => None,
    };
    if let Some(decimals) = decimals {
        return without_trailing_zeros(&format!("{number:.decimals$}")).into();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_trailing_zeros(digits), exponent.abs())
}

fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_c_writes_them_with_17_digits() {
        for (number, text) in [
            (3.7, "3.7000000000000002"),
            (1e17, "1e+17"),
            (1e300, "1.0000000000000001e+300"),
            (0.1, "0.10000000000000001"),
            (1e-7, "9.9999999999999995e-08"),
            (-0.0, "-0"),
            (12.0, "12"),
            (0.0001, "0.0001"),
            (f64::INFINITY, "inf"),
            (9_007_199_254_740_993.0, "9007199254740992"),
            (123_456_789_012_345_678.0, "1.2345678901234568e+17"),
        ] {
            assert_eq!(seventeen_digits(number), text);
        }
    }
}
