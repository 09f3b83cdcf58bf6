use ndarray::Array2;

use super::dense::Norm;
use crate::{
    LoadError,
    config::{Architecture, Config},
    tensors::Tensors,
};

/// Tokens as vectors.
pub(super) struct Embeddings {
    words: Array2<f32>,
    positions: Option<Array2<f32>>,
    /// The vector of the first kind of token, which all tokens of one text are.
    kind: Option<Array2<f32>>,
    /// From the width of the embeddings to that of the encoder.
    projection: Option<Array2<f32>>,
    norm: Norm,
    /// Where positions begin to count: RoBERTa leaves room for the padding.
    first_position: usize,
}

impl Embeddings {
    pub(super) fn read(config: &Config, tensors: &Tensors<'_>) -> Result<Self, LoadError> {
        let width = config.embedding_width;
        let positions = config
            .has_absolute_positions
            .then(|| {
                let shape = [config.positions, width];
                tensors.matrix("embeddings.position_embeddings.weight", shape)
            })
            .transpose()?;
        let kind = (config.kinds > 0)
            .then(|| {
                let shape = [config.kinds, width];
                tensors.matrix("embeddings.token_type_embeddings.weight", shape)
            })
            .transpose()?;
        let projection = (width != config.width)
            .then(|| tensors.matrix("embeddings.embed_proj.weight", [config.width, width]))
            .transpose()?;
        Ok(Self {
            words: tensors.matrix(
                "embeddings.word_embeddings.weight",
                [config.vocabulary, width],
            )?,
            positions,
            kind,
            projection,
            norm: Norm::read_width(
                tensors,
                "embeddings.LayerNorm",
                config.width,
                config.epsilon,
            )?,
            first_position: match config.architecture {
                Architecture::Roberta => config.padding + 1,
                _ => 0,
            },
        })
    }

    /// One row per token; a token or a position beyond the tables is a row of zeros.
    pub(super) fn of(&self, tokens: &[u32]) -> Array2<f32> {
        let row_of =
            |table: &Array2<f32>, at: usize| (at < table.nrows()).then(|| table.row(at).to_owned());
        let mut x = Array2::zeros((tokens.len(), self.words.ncols()));
        for ((at, token), mut row) in tokens.iter().enumerate().zip(x.rows_mut()) {
            let place = self.first_position + at;
            let parts = [
                row_of(&self.words, *token as usize),
                self.positions
                    .as_ref()
                    .and_then(|table| row_of(table, place)),
                self.kind.as_ref().and_then(|table| row_of(table, 0)),
            ];
            for part in parts.iter().flatten() {
                row += part;
            }
        }
        if let Some(projection) = &self.projection {
            x = x.dot(&projection.t());
        }
        self.norm.apply(&mut x);
        x
    }
}
