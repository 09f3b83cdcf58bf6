use ndarray::{Array1, Array2};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::LoadError;

/// The weights of a file by name, read as 32-bit floats when they are asked for.
pub(crate) struct Tensors<'a> {
    file: SafeTensors<'a>,
    prefix: String,
}

impl<'a> Tensors<'a> {
    /// Reads the table of contents.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, LoadError> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| LoadError::Weights(error.to_string().into()))?;
        Ok(Self {
            file,
            prefix: String::new(),
        })
    }

    /// Below `prefix` from now on, where the file uses it: classifiers store their encoder under its
    /// name, encoders alone do not.
    pub(crate) fn below(mut self, prefix: &str) -> Self {
        if self
            .file
            .names()
            .iter()
            .any(|name| name.starts_with(prefix))
        {
            prefix.clone_into(&mut self.prefix);
        }
        self
    }

    /// A matrix of the encoder.
    pub(crate) fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<Array2<f32>, LoadError> {
        self.read_matrix(&format!("{}{name}", self.prefix), shape)
    }

    /// A vector of the encoder.
    pub(crate) fn vector(&self, name: &str, len: usize) -> Result<Array1<f32>, LoadError> {
        self.read_vector(&format!("{}{name}", self.prefix), len)
    }

    /// A matrix of the head, outside the encoder.
    pub(crate) fn head_matrix(
        &self,
        name: &str,
        shape: [usize; 2],
    ) -> Result<Array2<f32>, LoadError> {
        self.read_matrix(name, shape)
    }

    /// A vector of the head, outside the encoder.
    pub(crate) fn head_vector(&self, name: &str, len: usize) -> Result<Array1<f32>, LoadError> {
        self.read_vector(name, len)
    }

    fn read_matrix(&self, name: &str, shape: [usize; 2]) -> Result<Array2<f32>, LoadError> {
        let numbers = self.numbers(name, &shape)?;
        Array2::from_shape_vec(shape, numbers)
            .map_err(|error| LoadError::Weights(error.to_string().into()))
    }

    fn read_vector(&self, name: &str, len: usize) -> Result<Array1<f32>, LoadError> {
        self.numbers(name, &[len]).map(Array1::from_vec)
    }

    fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let tensor = match self.file.tensor(name) {
            Ok(tensor) => tensor,
            Err(error) => self.as_in_tensorflow(name).ok_or_else(|| match error {
                safetensors::SafeTensorError::TensorNotFound(_) => {
                    LoadError::Missing(name.to_owned())
                }
                other => LoadError::Weights(other.to_string().into()),
            })?,
        };
        if tensor.shape() != shape {
            return Err(LoadError::Shape {
                name: name.to_owned(),
                found: tensor.shape().to_vec(),
                expected: shape.to_vec(),
            });
        }
        floats(&tensor).ok_or_else(|| {
            let what = format!("`{name}` is of the type {:?}", tensor.dtype());
            LoadError::Weights(what.into())
        })
    }

    /// `LayerNorm.gamma` and `.beta`, which old checkpoints say for `weight` and `bias`.
    fn as_in_tensorflow(&self, name: &str) -> Option<TensorView<'_>> {
        let old = match name.rsplit_once('.')? {
            (stem, "weight") if stem.ends_with("LayerNorm") => format!("{stem}.gamma"),
            (stem, "bias") if stem.ends_with("LayerNorm") => format!("{stem}.beta"),
            _ => return None,
        };
        self.file.tensor(&old).ok()
    }
}

fn floats(tensor: &TensorView<'_>) -> Option<Vec<f32>> {
    let (fours, twos) = (tensor.data().as_chunks().0, tensor.data().as_chunks().0);
    Some(match tensor.dtype() {
        Dtype::F32 => fours.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => twos
            .iter()
            .map(|b| half::f16::from_le_bytes(*b).to_f32())
            .collect(),
        Dtype::BF16 => twos
            .iter()
            .map(|b| half::bf16::from_le_bytes(*b).to_f32())
            .collect(),
        _ => return None,
    })
}
