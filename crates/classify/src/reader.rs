//! Takes a file of weights apart.

use crate::ModelError;

/// What is left to read.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `len` bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8], ModelError> {
        let short = ModelError::Length {
            actual: self.0.len(),
            expected: len,
        };
        let (head, rest) = self.0.split_at_checked(len).ok_or(short)?;
        self.0 = rest;
        Ok(head)
    }

    /// The next number, which is one.
    pub(crate) fn number(&mut self) -> Result<f32, ModelError> {
        let number = f32::from_bits(self.word()?);
        if number.is_finite() {
            Ok(number)
        } else {
            Err(ModelError::Number)
        }
    }

    /// The next 32 bits.
    pub(crate) fn word(&mut self) -> Result<u32, ModelError> {
        let bytes = self.bytes(4)?;
        Ok(bytes
            .first_chunk()
            .map_or(0, |word| u32::from_le_bytes(*word)))
    }

    /// The next `N` numbers.
    pub(crate) fn numbers<const N: usize>(&mut self) -> Result<[f32; N], ModelError> {
        let mut numbers = [0.0; N];
        for number in &mut numbers {
            *number = self.number()?;
        }
        Ok(numbers)
    }

    /// The next `M` times `N` numbers.
    pub(crate) fn table<const N: usize>(
        &mut self,
        rows: usize,
    ) -> Result<Vec<[f32; N]>, ModelError> {
        (0..rows).map(|_| self.numbers()).collect()
    }
}
