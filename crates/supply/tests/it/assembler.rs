//! Pickles, instruction by instruction.

/// A pickle that is being written.
#[derive(Clone, Default)]
pub(crate) struct Pickle(pub(crate) Vec<u8>);

/// A pickle of protocol 4.
pub(crate) fn pickle() -> Pickle {
    Pickle::default().raw(b"\x80\x04")
}

/// A pickle without header, as protocols 0 and 1 write it.
pub(crate) fn old() -> Pickle {
    Pickle::default()
}

impl Pickle {
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// GLOBAL.
    pub(crate) fn global(self, module: &str, name: &str) -> Self {
        self.raw(format!("c{module}\n{name}\n").as_bytes())
    }

    /// `STACK_GLOBAL` on two texts.
    pub(crate) fn stack_global(self, module: &str, name: &str) -> Self {
        self.text(module).text(name).raw(b"\x93")
    }

    /// INST, the arguments before it since the mark.
    pub(crate) fn inst(self, module: &str, name: &str) -> Self {
        self.raw(format!("i{module}\n{name}\n").as_bytes())
    }

    pub(crate) fn text(self, text: &str) -> Self {
        let length = u32::try_from(text.len()).unwrap().to_le_bytes();
        self.raw(b"X").raw(&length).raw(text.as_bytes())
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        self.raw(b"B").raw(&length).raw(bytes)
    }

    pub(crate) fn int(self, number: u8) -> Self {
        self.raw(&[b'K', number])
    }

    pub(crate) fn mark(self) -> Self {
        self.raw(b"(")
    }

    pub(crate) fn tuple(self) -> Self {
        self.raw(b"t")
    }

    /// A tuple of the last one, two, or three values.
    pub(crate) fn tuple_of(self, count: u8) -> Self {
        self.raw(&[0x84 + count])
    }

    pub(crate) fn empty_tuple(self) -> Self {
        self.raw(b")")
    }

    pub(crate) fn empty_dict(self) -> Self {
        self.raw(b"}")
    }

    pub(crate) fn set_item(self) -> Self {
        self.raw(b"s")
    }

    pub(crate) fn reduce(self) -> Self {
        self.raw(b"R")
    }

    pub(crate) fn build(self) -> Self {
        self.raw(b"b")
    }

    pub(crate) fn new_object(self) -> Self {
        self.raw(b"\x81")
    }

    /// Calls a global with one text.
    pub(crate) fn call(self, module: &str, name: &str, text: &str) -> Self {
        self.global(module, name).text(text).tuple_of(1).reduce()
    }

    pub(crate) fn stop(self) -> Vec<u8> {
        self.raw(b".").0
    }
}
