//! Moving an item from one list to another.

use bytes::Bytes;

use super::{
    super::super::{Resp, command::seconds},
    Answer, Call, End, List,
};

pub(super) fn lmove(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (from, to) = (End::parse(&arguments[3])?, End::parse(&arguments[4])?);
    move_item(call, &arguments[1], &arguments[2], from, to)
}

pub(super) fn rpoplpush(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    move_item(call, &arguments[1], &arguments[2], End::Right, End::Left)
}

pub(super) fn blmove(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (from, to) = (End::parse(&arguments[3])?, End::parse(&arguments[4])?);
    seconds(&arguments[5])?;
    move_item(call, &arguments[1], &arguments[2], from, to)
}

pub(super) fn brpoplpush(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    seconds(&arguments[3])?;
    rpoplpush(call, arguments)
}

fn move_item(call: &mut Call<'_>, source: &Bytes, target: &Bytes, from: End, to: End) -> Answer {
    if call.read::<List>(source)?.is_none() {
        return Ok(Resp::Nil);
    }
    call.read::<List>(target)?;
    if source == target {
        // In one change, as a list of one item must not vanish in between.
        let item = call.change(source, |list: &mut List| {
            let item = from.pop(list)?;
            to.push(list, item.clone());
            Some(item)
        })?;
        return Ok(item.into());
    }
    let Some(item) = call.change(source, |list: &mut List| from.pop(list))? else {
        return Ok(Resp::Nil);
    };
    call.change(target, |list: &mut List| to.push(list, item.clone()))?;
    Ok(Resp::Bulk(item))
}
