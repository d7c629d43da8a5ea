//! Parts of strings.

use bytes::{Bytes, BytesMut};

use super::{
    super::ranges::indexes, Answer, Call, LENGTH_LIMIT, Refusal, Resp, count, integer, replace,
};

pub(super) fn append(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let old = call.string(&arguments[1])?.map_or(&[][..], |text| text);
    let added = &arguments[2];
    check_length(old.len() + added.len())?;
    let text = [old, added].concat();
    let length = text.len();
    replace(call, &arguments[1], text.into());
    Ok(count(length))
}

pub(super) fn getrange(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (start, stop) = (integer(&arguments[2])?, integer(&arguments[3])?);
    let Some(text) = call.string(&arguments[1])? else { return Ok(Resp::Bulk(Bytes::new())) };
    // An end before the begin is the first byte, unless it does not come after the start.
    let stop = if start < 0 && stop < 0 && start > stop {
        return Ok(Resp::Bulk(Bytes::new()));
    } else {
        stop
    };
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let stop = if stop < 0 { stop.saturating_add(length).max(0) } else { stop };
    Ok(Resp::Bulk(text.slice(indexes(start, stop, text.len()))))
}

pub(super) fn setrange(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let offset = usize::try_from(integer(&arguments[2])?)
        .map_err(|_| Refusal("ERR offset is out of range".into()))?;
    let old = call.string(&arguments[1])?;
    let part = &arguments[3];
    if part.is_empty() {
        return Ok(count(old.map_or(0, Bytes::len)));
    }
    check_length(offset.saturating_add(part.len()))?;
    let mut text = BytesMut::from(old.map_or(&[][..], |text| text));
    let end = offset + part.len();
    if text.len() < end {
        text.resize(end, 0);
    }
    text[offset..end].copy_from_slice(part);
    let length = text.len();
    replace(call, &arguments[1], text.freeze());
    Ok(count(length))
}

fn check_length(length: usize) -> Result<(), Refusal> {
    if length > LENGTH_LIMIT {
        let text = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
        return Err(Refusal(text.into()));
    }
    Ok(())
}
