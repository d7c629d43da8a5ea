//! The arguments of a debounced call.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{fmt, ops::Deref};

/// The arguments of a debounced call: bytes, of text or of anything else.
///
/// Anything that is text or bytes turns into them, and, with the feature `serde`, any value by
/// `Args::json`. They are kept in the store until they have run.
///
/// ```
/// use leasehold_core::debounce::Args;
///
/// assert_eq!(Args::from("page 7").text(), Some("page 7"));
/// assert_eq!(&Args::from(vec![1, 2, 3])[..], [1, 2, 3]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Args(Arc<[u8]>);

impl Args {
    /// The arguments as text, if that is what they are.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }

    /// `value`, as JSON.
    ///
    /// ```
    /// use leasehold_core::debounce::Args;
    ///
    /// let args = Args::json(&(7, "pages"))?;
    /// assert_eq!(args.from_json::<(u32, String)>()?, (7, "pages".to_owned()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What `serde_json` says, if `value` has no such form.
    #[cfg(feature = "serde")]
    pub fn json(value: &(impl serde::Serialize + ?Sized)) -> serde_json::Result<Self> {
        serde_json::to_vec(value).map(Self::from)
    }

    /// The value that [`Args::json`] was given.
    ///
    /// # Errors
    ///
    /// What `serde_json` says, if these arguments are not such a value.
    #[cfg(feature = "serde")]
    #[allow(clippy::wrong_self_convention, reason = "it reads the arguments as JSON")]
    pub fn from_json<T: serde::de::DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(&self.0)
    }

    pub(super) fn into_bytes(self) -> Arc<[u8]> {
        self.0
    }
}

impl Deref for Args {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Arc<[u8]>> for Args {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Args {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl<const N: usize> From<&[u8; N]> for Args {
    fn from(bytes: &[u8; N]) -> Self {
        Self(bytes.as_slice().into())
    }
}

impl From<Vec<u8>> for Args {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&str> for Args {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<String> for Args {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl fmt::Display for Args {
    /// As text, with a sign for what is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    #[test]
    fn text_and_bytes_in_any_form_become_the_same_arguments() {
        let bytes = b"page 7";
        let forms = [
            Args::from("page 7"),
            String::from("page 7").into(),
            bytes.into(),
            bytes.as_slice().into(),
            bytes.to_vec().into(),
            Arc::<[u8]>::from(bytes.as_slice()).into(),
        ];
        assert_eq!(vec![Args::from("page 7"); 6], forms);
        assert_eq!(forms[0].text(), Some("page 7"));
        assert_eq!(Args::from(vec![0xff]).text(), None);
    }
}
