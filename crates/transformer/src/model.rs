//! The arithmetic: from token numbers to one number per label.
//!
//! One text at a time, without padding, so that there are no masks. Matrices have a row per token.

mod attention;
mod dense;
mod embeddings;

use ndarray::{Array1, Array2, ArrayView1, Axis, Slice};

use crate::{
    LoadError,
    config::{Architecture, Config},
    tensors::Tensors,
};
use attention::{Attention, Distances};
use dense::{Dense, Norm, activate};
use embeddings::Embeddings;

/// A sequence classifier.
pub(crate) struct Model {
    config: Config,
    embeddings: Embeddings,
    distances: Option<Distances>,
    blocks: Vec<Block>,
    pooler: Dense,
    classifier: Dense,
}

/// One layer of the encoder (Vaswani et al. 2017, norms after the sums).
struct Block {
    attention: Attention,
    attended: Dense,
    attended_norm: Norm,
    inner: Dense,
    outer: Dense,
    outer_norm: Norm,
}

/// How an architecture names the tensors of a layer.
struct Names {
    encoder: &'static str,
    layer: &'static str,
    query: &'static str,
    key: &'static str,
    value: &'static str,
    attended: &'static str,
    attended_norm: &'static str,
    inner: &'static str,
    outer: &'static str,
    outer_norm: &'static str,
    /// The layer between the first token and the labels.
    pooler: &'static str,
    classifier: &'static str,
}

const BERT: Names = Names {
    encoder: "bert.",
    layer: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attended: "attention.output.dense",
    attended_norm: "attention.output.LayerNorm",
    inner: "intermediate.dense",
    outer: "output.dense",
    outer_norm: "output.LayerNorm",
    pooler: "bert.pooler.dense",
    classifier: "classifier",
};

const ROBERTA: Names = Names {
    encoder: "roberta.",
    pooler: "classifier.dense",
    classifier: "classifier.out_proj",
    ..BERT
};

const DEBERTA: Names = Names {
    encoder: "deberta.",
    query: "attention.self.query_proj",
    key: "attention.self.key_proj",
    value: "attention.self.value_proj",
    pooler: "pooler.dense",
    ..BERT
};

const DISTILBERT: Names = Names {
    encoder: "distilbert.",
    layer: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    attended: "attention.out_lin",
    attended_norm: "sa_layer_norm",
    inner: "ffn.lin1",
    outer: "ffn.lin2",
    outer_norm: "output_layer_norm",
    pooler: "pre_classifier",
    classifier: "classifier",
};

impl Model {
    /// Reads the weights that `config` asks for.
    pub(crate) fn read(config: Config, tensors: Tensors<'_>) -> Result<Self, LoadError> {
        let names = match config.architecture {
            Architecture::Bert => BERT,
            Architecture::Roberta => ROBERTA,
            Architecture::DistilBert => DISTILBERT,
            Architecture::DebertaV2 => DEBERTA,
        };
        let tensors = tensors.below(names.encoder);
        let width = config.width;
        let distances = config
            .relative
            .map(|relative| Distances::read(relative, &config, &tensors))
            .transpose()?;
        let blocks = (0..config.layers)
            .map(|number| {
                let at = |name: &str| format!("{}.{number}.{name}", names.layer);
                Ok(Block {
                    attention: Attention {
                        heads: config.heads,
                        query: Dense::read(&tensors, &at(names.query), [width, width])?,
                        key: Dense::read(&tensors, &at(names.key), [width, width])?,
                        value: Dense::read(&tensors, &at(names.value), [width, width])?,
                        positions: distances
                            .as_ref()
                            .map(|distances| distances.projections(&tensors, &at("attention.self")))
                            .transpose()?,
                    },
                    attended: Dense::read(&tensors, &at(names.attended), [width, width])?,
                    attended_norm: Norm::read(&tensors, &at(names.attended_norm), &config)?,
                    inner: Dense::read(&tensors, &at(names.inner), [config.inner, width])?,
                    outer: Dense::read(&tensors, &at(names.outer), [width, config.inner])?,
                    outer_norm: Norm::read(&tensors, &at(names.outer_norm), &config)?,
                })
            })
            .collect::<Result<_, LoadError>>()?;
        Ok(Self {
            embeddings: Embeddings::read(&config, &tensors)?,
            distances,
            blocks,
            pooler: Dense::read_head(&tensors, names.pooler, [width, width])?,
            classifier: Dense::read_head(&tensors, names.classifier, [config.labels.len(), width])?,
            config,
        })
    }

    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// Tokens that it reads at once.
    pub(crate) fn most_tokens(&self) -> usize {
        match self.config.architecture {
            // The first positions are the paddings'.
            Architecture::Roberta => {
                (self.config.positions).saturating_sub(self.config.padding + 1)
            }
            _ => self.config.positions,
        }
    }

    /// The logits of the labels for `tokens`, of which there are at most [`Self::most_tokens`].
    pub(crate) fn logits(&self, tokens: &[u32]) -> Array1<f32> {
        let mut x = self.embeddings.of(tokens);
        let bias = self
            .distances
            .as_ref()
            .map(|distances| distances.between(tokens.len()));
        for block in &self.blocks {
            x = block.apply(&self.config, x, bias.as_ref());
        }
        let first = x.slice_axis(Axis(0), Slice::from(..1));
        let mut pooled = self.pooler.apply(&first);
        activate(self.config.pooler_activation, &mut pooled);
        self.classifier.apply(&pooled.view()).row(0).to_owned()
    }
}

impl Block {
    fn apply(
        &self,
        config: &Config,
        x: Array2<f32>,
        distances: Option<&attention::Between<'_>>,
    ) -> Array2<f32> {
        let mut attended = self
            .attended
            .apply(&self.attention.apply(&x, distances).view());
        attended += &x;
        self.attended_norm.apply(&mut attended);
        let mut inner = self.inner.apply(&attended.view());
        activate(config.activation, &mut inner);
        let mut out = self.outer.apply(&inner.view());
        out += &attended;
        self.outer_norm.apply(&mut out);
        out
    }
}

/// Logits as probabilities that sum to 1.
pub(crate) fn softmax(logits: ArrayView1<'_, f32>) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let raised: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let sum: f32 = raised.iter().sum();
    raised.into_iter().map(|value| value / sum).collect()
}
