//! Types of numbers in PyTorch: names of storages (`torch/storage.py`) and of types
//! (`torch/csrc/Dtype.cpp`).

/// A type of numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberType {
    name: &'static str,
    /// Bytes of one.
    pub(crate) bytes: u64,
    /// Its name in `safetensors`, which has no quantised numbers, and none here that are complex.
    pub(crate) safetensors: Option<&'static str>,
}

const fn known(name: &'static str, safetensors: &'static str, bytes: u64) -> NumberType {
    NumberType {
        name,
        bytes,
        safetensors: Some(safetensors),
    }
}

const fn other(name: &'static str, bytes: u64) -> NumberType {
    NumberType {
        name,
        bytes,
        safetensors: None,
    }
}

static TYPES: &[NumberType] = &[
    known("DoubleStorage", "F64", 8),
    known("FloatStorage", "F32", 4),
    known("HalfStorage", "F16", 2),
    known("BFloat16Storage", "BF16", 2),
    known("LongStorage", "I64", 8),
    known("IntStorage", "I32", 4),
    known("ShortStorage", "I16", 2),
    known("CharStorage", "I8", 1),
    known("ByteStorage", "U8", 1),
    known("BoolStorage", "BOOL", 1),
    other("UntypedStorage", 1),
    other("ComplexDoubleStorage", 16),
    other("ComplexFloatStorage", 8),
    other("QInt8Storage", 1),
    other("QUInt8Storage", 1),
    other("QInt32Storage", 4),
    known("float64", "F64", 8),
    known("float32", "F32", 4),
    known("float16", "F16", 2),
    known("bfloat16", "BF16", 2),
    known("float8_e4m3fn", "F8_E4M3", 1),
    known("float8_e5m2", "F8_E5M2", 1),
    known("float8_e8m0fnu", "F8_E8M0", 1),
    known("float8_e4m3fnuz", "F8_E4M3FNUZ", 1),
    known("float8_e5m2fnuz", "F8_E5M2FNUZ", 1),
    known("int64", "I64", 8),
    known("int32", "I32", 4),
    known("int16", "I16", 2),
    known("int8", "I8", 1),
    known("uint64", "U64", 8),
    known("uint32", "U32", 4),
    known("uint16", "U16", 2),
    known("uint8", "U8", 1),
    known("bool", "BOOL", 1),
];

impl NumberType {
    /// The type of a storage or of numbers by its name in `torch`.
    pub(crate) fn of(name: &str) -> Option<&'static Self> {
        TYPES.iter().find(|known| known.name == name)
    }
}
