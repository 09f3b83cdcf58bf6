//! Every opcode of protocols 0 to 5 (CPython, `Lib/pickletools.py`, `Modules/_pickle.c`).

/// What follows an opcode, and how its length is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing.
    Nothing,
    /// A number of so many bytes, least significant first.
    Number(u8),
    /// A signed number of four bytes.
    Signed,
    /// A float of eight bytes.
    Float,
    /// Text that a length of so many bytes precedes.
    Text(u8),
    /// An old text, that a signed length of four bytes or one byte precedes.
    OldText(u8),
    /// Bytes that a length of so many bytes precedes.
    Bytes(u8),
    /// A long integer that a length of so many bytes precedes.
    Long(u8),
    /// A number up to the end of the line, in the base that its first digits say.
    Decimal,
    /// The same, perhaps with an `L` at its end.
    LongDecimal,
    /// A float up to the end of the line.
    FloatLine,
    /// An index up to the end of the line, in base ten.
    IndexLine,
    /// Text in quotes up to the end of the line.
    QuotedLine,
    /// Text with `\u` escapes up to the end of the line.
    UnicodeLine,
    /// A persistent id up to the end of the line.
    IdLine,
    /// A module and a name, each up to the end of its line.
    Names,
}

macro_rules! opcodes {
    ($($code:literal $name:ident $shape:expr;)*) => {
        /// What an opcode does to the machine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Opcode { $($name,)* }

        impl Opcode {
            /// The opcode of a byte, and what follows it.
            pub(crate) const fn of(byte: u8) -> Option<(Self, Shape)> {
                match byte {
                    $($code => Some((Self::$name, $shape)),)*
                    _ => None,
                }
            }
        }
    };
}

opcodes! {
    b'(' Mark Shape::Nothing;
    b'.' Stop Shape::Nothing;
    b'0' Pop Shape::Nothing;
    b'1' PopMark Shape::Nothing;
    b'2' Dup Shape::Nothing;
    b'F' Float Shape::FloatLine;
    b'I' Int Shape::Decimal;
    b'J' BinInt Shape::Signed;
    b'K' BinInt1 Shape::Number(1);
    b'L' Long Shape::LongDecimal;
    b'M' BinInt2 Shape::Number(2);
    b'N' None Shape::Nothing;
    b'P' PersId Shape::IdLine;
    b'Q' BinPersId Shape::Nothing;
    b'R' Reduce Shape::Nothing;
    b'S' String Shape::QuotedLine;
    b'T' BinString Shape::OldText(4);
    b'U' ShortBinString Shape::OldText(1);
    b'V' Unicode Shape::UnicodeLine;
    b'X' BinUnicode Shape::Text(4);
    b'a' Append Shape::Nothing;
    b'b' Build Shape::Nothing;
    b'c' Global Shape::Names;
    b'd' Dict Shape::Nothing;
    b'}' EmptyDict Shape::Nothing;
    b'e' Appends Shape::Nothing;
    b'g' Get Shape::IndexLine;
    b'h' BinGet Shape::Number(1);
    b'i' Inst Shape::Names;
    b'j' LongBinGet Shape::Number(4);
    b'l' List Shape::Nothing;
    b']' EmptyList Shape::Nothing;
    b'o' Obj Shape::Nothing;
    b'p' Put Shape::IndexLine;
    b'q' BinPut Shape::Number(1);
    b'r' LongBinPut Shape::Number(4);
    b's' SetItem Shape::Nothing;
    b't' Tuple Shape::Nothing;
    b')' EmptyTuple Shape::Nothing;
    b'u' SetItems Shape::Nothing;
    b'G' BinFloat Shape::Float;
    0x80 Proto Shape::Number(1);
    0x81 NewObj Shape::Nothing;
    0x82 Ext1 Shape::Number(1);
    0x83 Ext2 Shape::Number(2);
    0x84 Ext4 Shape::Signed;
    0x85 Tuple1 Shape::Nothing;
    0x86 Tuple2 Shape::Nothing;
    0x87 Tuple3 Shape::Nothing;
    0x88 NewTrue Shape::Nothing;
    0x89 NewFalse Shape::Nothing;
    0x8a Long1 Shape::Long(1);
    0x8b Long4 Shape::Long(4);
    b'B' BinBytes Shape::Bytes(4);
    b'C' ShortBinBytes Shape::Bytes(1);
    0x8c ShortBinUnicode Shape::Text(1);
    0x8d BinUnicode8 Shape::Text(8);
    0x8e BinBytes8 Shape::Bytes(8);
    0x8f EmptySet Shape::Nothing;
    0x90 AddItems Shape::Nothing;
    0x91 FrozenSet Shape::Nothing;
    0x92 NewObjEx Shape::Nothing;
    0x93 StackGlobal Shape::Nothing;
    0x94 Memoize Shape::Nothing;
    0x95 Frame Shape::Number(8);
    0x96 ByteArray8 Shape::Bytes(8);
    0x97 NextBuffer Shape::Nothing;
    0x98 ReadonlyBuffer Shape::Nothing;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_68_opcodes_are_known() {
        let known = (0..=u8::MAX).filter(|&byte| Opcode::of(byte).is_some());
        assert_eq!(known.count(), 68);
    }
}
