use crate::{ParseError, Source};

/// How many bytes of a message are fetched at a time.
const BLOCK: u64 = 8 << 10;

/// One message in protobuf's wire format, read field by field without a schema.
///
/// A payload is skipped until somebody opens it, so that weights of any size cost nothing.
///
/// Source: <https://protobuf.dev/programming-guides/encoding/>
#[derive(Clone, Copy)]
pub struct Message<'a> {
    source: &'a dyn Source,
    start: u64,
    length: u64,
}

/// One field of a [`Message`].
#[derive(Clone, Copy)]
pub struct Field<'a> {
    /// Its number.
    pub number: u32,
    /// What it holds.
    pub value: Value<'a>,
}

/// What a [`Field`] holds.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire types 1 and 5.
    Fixed(u64),
    /// Wire type 2: a message, text, bytes, or packed numbers.
    Bytes(Message<'a>),
    /// Wire types 3 and 4: fields in a pair of brackets, which today's formats only skip.
    Group,
}

/// How deep groups may stand in groups, as in Google's own reader.
const MAX_GROUPS: usize = 100;

impl<'a> Message<'a> {
    /// The whole of `source` as one message.
    #[must_use]
    pub fn new(source: &'a dyn Source) -> Self {
        Self {
            source,
            start: 0,
            length: source.len(),
        }
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Where it starts in the source.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Its fields in order; the first mistake ends them.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields {
            source: self.source,
            at: self.start,
            end: self.start.saturating_add(self.length),
            block: Vec::new(),
            block_at: 0,
            failed: false,
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// When there are more than `max` or they cannot be read.
    pub fn bytes(&self, max: u64) -> Result<Vec<u8>, ParseError> {
        if self.length > max {
            return Err(ParseError::Exhausted {
                limit: "protobuf text",
                max,
            });
        }
        Ok(self.source.read(self.start, self.length)?)
    }

    /// Its bytes as text, broken UTF-8 replaced.
    ///
    /// # Errors
    /// See [`Message::bytes`].
    pub fn text(&self, max: u64) -> Result<String, ParseError> {
        Ok(String::from_utf8_lossy(&self.bytes(max)?).into_owned())
    }
}

impl<'a> Field<'a> {
    /// The payload of a field of wire type 2.
    #[must_use]
    pub fn message(&self) -> Option<Message<'a>> {
        match self.value {
            Value::Bytes(message) => Some(message),
            _ => None,
        }
    }

    /// The number of a field of wire type 0.
    #[must_use]
    pub fn varint(&self) -> Option<u64> {
        match self.value {
            Value::Varint(number) => Some(number),
            _ => None,
        }
    }
}

/// The fields of a [`Message`].
pub struct Fields<'a> {
    source: &'a dyn Source,
    at: u64,
    end: u64,
    block: Vec<u8>,
    block_at: u64,
    failed: bool,
}

impl<'a> Fields<'a> {
    fn byte(&mut self) -> Result<u8, ParseError> {
        let truncated = ParseError::Truncated {
            at: self.end,
            what: "a protobuf field",
        };
        if self.at >= self.end {
            return Err(truncated);
        }
        let inside = |block_at: u64, at: u64| usize::try_from(at.checked_sub(block_at)?).ok();
        let mut byte = inside(self.block_at, self.at).and_then(|i| self.block.get(i).copied());
        if byte.is_none() {
            self.block = self.source.read(self.at, BLOCK.min(self.end - self.at))?;
            self.block_at = self.at;
            byte = self.block.first().copied();
        }
        self.at += 1;
        byte.ok_or(truncated)
    }

    fn varint(&mut self) -> Result<u64, ParseError> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(ParseError::malformed(self.at, "a varint does not end"))
    }

    fn fixed(&mut self, bytes: u32) -> Result<u64, ParseError> {
        let mut number = 0_u64;
        for index in 0..bytes {
            number |= u64::from(self.byte()?) << (8 * index);
        }
        Ok(number)
    }

    fn field(&mut self) -> Result<Field<'a>, ParseError> {
        let (number, kind) = self.key()?;
        let value = self.value(number, kind)?;
        Ok(Field { number, value })
    }

    /// A field's number and wire type.
    fn key(&mut self) -> Result<(u32, u64), ParseError> {
        let at = self.at;
        let key = self.varint()?;
        let number = u32::try_from(key >> 3)
            .ok()
            .filter(|number| (1..1 << 29).contains(number))
            .ok_or_else(|| ParseError::malformed(at, "no protobuf field number"))?;
        Ok((number, key & 7))
    }

    fn value(&mut self, number: u32, kind: u64) -> Result<Value<'a>, ParseError> {
        let at = self.at;
        Ok(match kind {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed(self.fixed(8)?),
            2 => {
                let length = self.varint()?;
                if length > self.end - self.at {
                    return Err(ParseError::malformed(
                        at,
                        "a protobuf field is longer than its message",
                    ));
                }
                let message = Message {
                    source: self.source,
                    start: self.at,
                    length,
                };
                self.at += length;
                Value::Bytes(message)
            }
            3 => self.group(number)?,
            5 => Value::Fixed(self.fixed(4)?),
            _ => return Err(ParseError::malformed(at, "an unknown protobuf wire type")),
        })
    }

    /// Passes over a group to the end that belongs to it.
    fn group(&mut self, number: u32) -> Result<Value<'a>, ParseError> {
        let mut open = vec![number];
        while let Some(&innermost) = open.last() {
            let at = self.at;
            match self.key()? {
                (number, 3) if open.len() < MAX_GROUPS => open.push(number),
                (number, 4) if number == innermost => drop(open.pop()),
                (_, 3 | 4) => {
                    return Err(ParseError::malformed(at, "a protobuf group does not end"));
                }
                (number, kind) => drop(self.value(number, kind)?),
            }
        }
        Ok(Value::Group)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.at >= self.end {
            return None;
        }
        let field = self.field();
        self.failed = field.is_err();
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bytes;

    #[test]
    fn fields_nest() {
        // 1: 150, 2: {1: "hi"}, 3: fixed32, 4: fixed64.
        let bytes = [
            0x08, 0x96, 0x01, 0x12, 0x04, 0x0A, 0x02, b'h', b'i', 0x1D, 1, 0, 0, 0, 0x21, 2, 0, 0,
            0, 0, 0, 0, 0,
        ];
        let source = Bytes(&bytes);
        let fields: Vec<Field> = Message::new(&source).fields().map(Result::unwrap).collect();
        assert_eq!(fields[0].varint(), Some(150));
        let inner = fields[1]
            .message()
            .unwrap()
            .fields()
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(inner.message().unwrap().text(10).unwrap(), "hi");
        assert!(matches!(fields[3].value, Value::Fixed(2)));
    }

    #[test]
    fn a_group_is_passed_over() {
        // 4: { 15: {}, 1: 7 }, 1: 5.
        let bytes = [0x23, 0x7B, 0x7C, 0x08, 7, 0x24, 0x08, 5];
        let source = Bytes(&bytes);
        let fields: Vec<Field> = Message::new(&source).fields().map(Result::unwrap).collect();
        assert_eq!(fields.len(), 2);
        assert!(matches!(fields[0].value, Value::Group));
        assert_eq!(fields[1].varint(), Some(5));
        for broken in [&[0x23, 0x08, 7][..], &[0x23, 0x2C], &[0x23; 200], &[0x24]] {
            let source = Bytes(broken);
            assert!(Message::new(&source).fields().next().unwrap().is_err());
        }
    }

    #[test]
    fn a_field_stays_inside_its_message() {
        for bytes in [
            &[0x0A, 0x05, 1][..],
            &[0x0B],
            &[0x00, 0x00],
            &[0xFF; 12],
            &[0x08],
        ] {
            let source = Bytes(bytes);
            let mut fields = Message::new(&source).fields();
            assert!(fields.next().unwrap().is_err(), "{bytes:?}");
            assert!(fields.next().is_none());
        }
    }
}
