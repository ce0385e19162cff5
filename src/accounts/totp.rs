//! Codes that change every half minute (RFC 6238): the arithmetic alone.

use crate::error::{Error, Result};
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;

/// Seconds for which a code is shown. With SHA-1 and six digits it is what every app knows.
const PERIOD: i64 = 30;
const DIGITS: usize = 6;
/// Steps by which a phone's clock may be wrong, either way (RFC 6238 §5.2 recommends one).
const DRIFT: i64 = 1;
/// Bytes: as long as the hash (RFC 4226 §4).
const LENGTH: usize = 20;

/// What the app and the server share.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; LENGTH]);

impl Secret {
    pub fn fresh() -> Result<Self> {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        Ok(Self(bytes))
    }

    /// As it is stored, and typed into an app that can't scan.
    pub fn base32(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// The secret of its [`base32`](Self::base32).
    pub fn parse(text: &str) -> Option<Self> {
        BASE32_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }

    /// In groups of four, to be read and typed.
    pub fn grouped(&self) -> String {
        let letters: Vec<char> = self.base32().chars().collect();
        letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }

    /// What an app reads from the QR code (the "Key URI format" that all of them know).
    pub fn uri(&self, username: &str, host: &str) -> String {
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!(
            "otpauth://totp/Hubbub:{}?secret={}&issuer=Hubbub",
            escaped(&format!("{username}@{host}")),
            self.base32()
        )
    }

    /// The code of one time step.
    pub fn code(&self, step: i64) -> Result<String> {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).map_err(Error::internal)?;
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash[hash.len() - 1] & 0x0f);
        let four = hash.iter().skip(offset).take(4);
        let number = four.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)) & 0x7fff_ffff;
        Ok(format!("{:0width$}", number % 10_u32.pow(6), width = DIGITS))
    }

    /// The time step whose code this is, if that is about now and later than `last`: a code that was used, or one
    /// older than it, is worth nothing any more.
    pub fn step_of(&self, typed: &str, now_ms: i64, last: i64) -> Result<Option<i64>> {
        let now = now_ms.div_euclid(1000 * PERIOD);
        for step in now - DRIFT..=now + DRIFT {
            if step > last && self.code(step)? == typed {
                return Ok(Some(step));
            }
        }
        Ok(None)
    }
}

/// Whether this looks like a code of an app, without what people type between the digits.
pub fn is_code(typed: &str) -> bool {
    typed.len() == DIGITS && typed.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238's own tests.
    fn secret() -> Secret {
        Secret(*b"12345678901234567890")
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret().code(seconds / 30).unwrap(), code, "{seconds}");
        }
    }

    #[test]
    fn a_code_holds_a_step_before_and_after_its_own_and_only_once() {
        let (now, step) = (1_111_111_111_000, 1_111_111_111 / 30);
        for drift in -3..=3 {
            let typed = secret().code(step + drift).unwrap();
            let wanted = (-1..=1).contains(&drift).then_some(step + drift);
            assert_eq!(secret().step_of(&typed, now, 0).unwrap(), wanted, "{drift}");
        }
        let typed = secret().code(step).unwrap();
        assert_eq!(secret().step_of(&typed, now, step - 1).unwrap(), Some(step));
        assert_eq!(secret().step_of(&typed, now, step).unwrap(), None, "used");
        assert_eq!(secret().step_of(&typed, now, step + 1).unwrap(), None, "older than one that was used");
    }

    #[test]
    fn a_secret_is_read_back_and_no_other_text_is_one() {
        let fresh = Secret::fresh().unwrap();
        assert!(Secret::parse(&fresh.base32()) == Some(fresh.clone()) && fresh != Secret::fresh().unwrap());
        assert_eq!(secret().grouped(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert!(
            Secret::parse("").is_none() && Secret::parse("GEZD").is_none() && Secret::parse("!").is_none()
        );
        let uri = secret().uri("anna b", "hub.example:8080");
        assert!(
            uri.starts_with("otpauth://totp/Hubbub:anna%20b%40hub%2Eexample%3A8080?secret=GEZD"),
            "{uri}"
        );
        assert!(is_code("012345") && !is_code("12345") && !is_code("12345x") && !is_code("１２３４５６"));
    }
}
