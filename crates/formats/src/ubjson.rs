use crate::{ParseError, Reader, Source};

/// How many values one file may hold.
const MAX_ITEMS: u64 = 50_000_000;
/// How deep containers may stand.
const MAX_DEPTH: usize = 512;

/// Whether `source` starts as XGBoost's binary JSON does: an object whose first key has a length.
#[must_use]
pub fn is_ubjson(source: &dyn Source) -> bool {
    matches!(
        source.read(0, 2).unwrap_or_default().as_slice(),
        [b'{', b'i' | b'U' | b'I' | b'l' | b'L']
    )
}

/// Walks a Universal Binary JSON file and checks every length against its end.
///
/// Source: <https://ubjson.org/>, draft 12.
///
/// # Errors
/// When it is broken, claims more than there is, or goes over a bound.
pub fn check_ubjson(source: &dyn Source) -> Result<(), ParseError> {
    let mut walk = Walk {
        reader: Reader::new(source, 0),
    };
    let mut open: Vec<Open> = Vec::new();
    let first = walk.marker()?;
    walk.value(first, &mut open)?;
    let mut items = 0;
    while !open.is_empty() {
        items += 1;
        if items > MAX_ITEMS || open.len() > MAX_DEPTH {
            return Err(ParseError::Exhausted {
                limit: "ubjson values",
                max: MAX_ITEMS,
            });
        }
        let Some(top) = open.last_mut() else { break };
        if top.left == Some(0) {
            open.pop();
            continue;
        }
        let (is_object, counted, kind) = (top.is_object, top.left.is_some(), top.kind);
        top.left = top.left.map(|left| left - 1);
        if !counted {
            let end = if is_object { b'}' } else { b']' };
            let marker = walk.marker()?;
            if marker == end {
                open.pop();
                continue;
            }
            if !is_object {
                walk.value(marker, &mut open)?;
                continue;
            }
            walk.text(marker)?;
        } else if is_object {
            let marker = walk.marker()?;
            walk.text(marker)?;
        }
        let marker = match kind {
            Some(kind) => kind,
            None => walk.marker()?,
        };
        walk.value(marker, &mut open)?;
    }
    Ok(())
}

struct Open {
    is_object: bool,
    left: Option<u64>,
    kind: Option<u8>,
}

struct Walk<'a> {
    reader: Reader<'a>,
}

impl Walk<'_> {
    fn marker(&mut self) -> Result<u8, ParseError> {
        loop {
            let marker = self.reader.u8("a marker")?;
            if marker != b'N' {
                return Ok(marker);
            }
        }
    }

    fn length(&mut self, marker: u8) -> Result<u64, ParseError> {
        let what = "a length";
        let at = self.reader.position();
        let number = match marker {
            b'i' => i64::from(self.reader.u8(what)?.cast_signed()),
            b'U' => i64::from(self.reader.u8(what)?),
            b'I' => i64::from(i16::from_be_bytes(self.reader.array(what)?)),
            b'l' => i64::from(i32::from_be_bytes(self.reader.array(what)?)),
            b'L' => i64::from_be_bytes(self.reader.array(what)?),
            _ => return Err(ParseError::malformed(at, "no length where one should be")),
        };
        u64::try_from(number).map_err(|_| ParseError::malformed(at, "a length below zero"))
    }

    fn skip(&mut self, bytes: u64) -> Result<(), ParseError> {
        if bytes > self.reader.remaining() {
            return Err(ParseError::malformed(
                self.reader.position(),
                "a value ends after the file",
            ));
        }
        self.reader.skip(bytes);
        Ok(())
    }

    fn text(&mut self, marker: u8) -> Result<(), ParseError> {
        let length = self.length(marker)?;
        self.skip(length)
    }

    fn value(&mut self, marker: u8, open: &mut Vec<Open>) -> Result<(), ParseError> {
        match marker {
            b'Z' | b'T' | b'F' => Ok(()),
            b'S' | b'H' => {
                let marker = self.marker()?;
                self.text(marker)
            }
            b'{' | b'[' => {
                let is_object = marker == b'{';
                let mut top = Open {
                    is_object,
                    left: None,
                    kind: None,
                };
                let mut next = self.reader.position();
                let mut sign = self.reader.u8("a container")?;
                if sign == b'$' {
                    top.kind = Some(self.reader.u8("a container's type")?);
                    next = self.reader.position();
                    sign = self.reader.u8("a container")?;
                }
                if sign == b'#' {
                    let marker = self.marker()?;
                    let count = self.length(marker)?;
                    if let (Some(kind), false) = (top.kind, is_object)
                        && let Some(bytes) = width(kind)
                    {
                        return self.skip(count.saturating_mul(bytes));
                    }
                    if count > self.reader.remaining() {
                        return Err(ParseError::malformed(
                            next,
                            "there are more values than the file can hold",
                        ));
                    }
                    top.left = Some(count);
                } else if top.kind.is_some() {
                    return Err(ParseError::malformed(
                        next,
                        "a typed container has no count",
                    ));
                } else {
                    self.reader.back_to(next);
                }
                open.push(top);
                Ok(())
            }
            _ => match width(marker) {
                Some(bytes) => self.skip(bytes),
                None => Err(ParseError::malformed(
                    self.reader.position(),
                    "an unknown marker",
                )),
            },
        }
    }
}

fn width(marker: u8) -> Option<u64> {
    Some(match marker {
        b'i' | b'U' | b'C' => 1,
        b'I' => 2,
        b'l' | b'd' => 4,
        b'L' | b'D' => 8,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bytes;

    #[test]
    fn containers_are_walked() {
        for bytes in [
            &b"{i\x01a[$l#L\0\0\0\0\0\0\0\x02\0\0\0\x01\0\0\0\x02i\x01bSi\x02hii\x01cT}"[..],
            b"{i\x01a[]i\x01b{}}",
            b"{i\x01a[#i\x02i\x01Si\x01x}",
        ] {
            assert!(is_ubjson(&Bytes(bytes)));
            check_ubjson(&Bytes(bytes)).unwrap();
        }
        for bytes in [
            &b"{i\x01a[$l#L\x7f\xff\xff\xff\xff\xff\xff\xff"[..],
            b"{i\x01aSL\x7f\xff\xff\xff\xff\xff\xff\xff",
            b"{i\x01a?",
            b"{L\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert!(check_ubjson(&Bytes(bytes)).is_err(), "{bytes:?}");
        }
    }
}
