use ndarray::{Array1, Array2, ArrayView2, linalg::general_mat_mul};

use crate::{
    LoadError,
    config::{Activation, Config},
    tensors::Tensors,
};

/// `x Wᵀ + b`.
pub(super) struct Dense {
    /// Transposed when it is read: a row per input.
    weight: Array2<f32>,
    bias: Array1<f32>,
}

impl Dense {
    /// Reads a layer of the encoder of `[outputs, inputs]`.
    pub(super) fn read(
        tensors: &Tensors<'_>,
        name: &str,
        shape: [usize; 2],
    ) -> Result<Self, LoadError> {
        Ok(Self {
            weight: turned(tensors.matrix(&format!("{name}.weight"), shape)?),
            bias: tensors.vector(&format!("{name}.bias"), shape[0])?,
        })
    }

    /// Reads a layer of the head.
    pub(super) fn read_head(
        tensors: &Tensors<'_>,
        name: &str,
        shape: [usize; 2],
    ) -> Result<Self, LoadError> {
        Ok(Self {
            weight: turned(tensors.head_matrix(&format!("{name}.weight"), shape)?),
            bias: tensors.head_vector(&format!("{name}.bias"), shape[0])?,
        })
    }

    pub(super) fn apply(&self, x: &ArrayView2<'_, f32>) -> Array2<f32> {
        let mut out = Array2::zeros((x.nrows(), self.weight.ncols()));
        for mut row in out.rows_mut() {
            row.assign(&self.bias);
        }
        general_mat_mul(1.0, x, &self.weight, 1.0, &mut out);
        out
    }
}

/// Rows as columns, so that a product reads them one after the other.
fn turned(weight: Array2<f32>) -> Array2<f32> {
    weight.t().as_standard_layout().into_owned()
}

/// Layer normalisation (Ba et al. 2016).
pub(super) struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
    epsilon: f32,
}

impl Norm {
    pub(super) fn read(
        tensors: &Tensors<'_>,
        name: &str,
        config: &Config,
    ) -> Result<Self, LoadError> {
        Self::read_width(tensors, name, config.width, config.epsilon)
    }

    pub(super) fn read_width(
        tensors: &Tensors<'_>,
        name: &str,
        width: usize,
        epsilon: f32,
    ) -> Result<Self, LoadError> {
        Ok(Self {
            weight: tensors.vector(&format!("{name}.weight"), width)?,
            bias: tensors.vector(&format!("{name}.bias"), width)?,
            epsilon,
        })
    }

    pub(super) fn apply(&self, x: &mut Array2<f32>) {
        for mut row in x.rows_mut() {
            let count = row.len() as f32;
            let mean = row.sum() / count;
            row -= mean;
            let variance = row.dot(&row) / count;
            row /= (variance + self.epsilon).sqrt();
            row *= &self.weight;
            row += &self.bias;
        }
    }
}

/// Applies `activation` to every number.
pub(super) fn activate(activation: Activation, x: &mut Array2<f32>) {
    match activation {
        Activation::Gelu => {
            x.mapv_inplace(|x| 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2)))
        }
        Activation::GeluTanh => x.mapv_inplace(|x| {
            let inner = (2.0 / std::f32::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
            0.5 * x * (1.0 + inner.tanh())
        }),
        Activation::Relu => x.mapv_inplace(|x| x.max(0.0)),
        Activation::Tanh => x.mapv_inplace(f32::tanh),
    }
}

/// The error function, within 1.5e-7 (Abramowitz and Stegun 1964, formula 7.1.26).
fn erf(x: f32) -> f32 {
    const A: [f32; 5] = [
        1.061_405_4,
        -1.453_152_1,
        1.421_413_8,
        -0.284_496_72,
        0.254_829_6,
    ];
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let polynomial = A.iter().fold(0.0, |sum, a| sum * t + a) * t;
    (1.0 - polynomial * (-size * size).exp()).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_that_of_the_tables() {
        // Abramowitz and Stegun, table 7.1.
        for (x, value) in [
            (0.0, 0.0),
            (0.5, 0.520_499_9),
            (1.0, 0.842_700_8),
            (2.0, 0.995_322_3),
        ] {
            assert!((erf(x) - value).abs() < 1e-6, "{x}");
            assert!((erf(-x) + value).abs() < 1e-6, "{x}");
        }
    }
}
