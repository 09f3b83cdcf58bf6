use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;

use crate::LoadError;

/// Most tokens, layers, and widths that are believed: beyond every published classifier.
const MOST: usize = 1 << 20;

/// The architectures that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Architecture {
    /// Devlin et al. 2019.
    Bert,
    /// RoBERTa (Liu et al. 2019) and XLM-RoBERTa, one in all but the vocabulary.
    Roberta,
    /// Sanh et al. 2019.
    DistilBert,
    /// DeBERTa v2 and v3 (He et al. 2021, 2023).
    DebertaV2,
}

/// What `config.json` says, under the names that every architecture shares.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub(crate) architecture: Architecture,
    pub(crate) vocabulary: usize,
    pub(crate) width: usize,
    pub(crate) embedding_width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) inner: usize,
    /// Positions that have an embedding, and so the longest text in tokens.
    pub(crate) positions: usize,
    pub(crate) kinds: usize,
    pub(crate) epsilon: f32,
    pub(crate) activation: Activation,
    pub(crate) pooler_activation: Activation,
    pub(crate) padding: usize,
    pub(crate) labels: Vec<String>,
    pub(crate) relative: Option<Relative>,
    pub(crate) has_absolute_positions: bool,
}

/// Attention to content by position and to position by content (DeBERTa).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Relative {
    /// Buckets of distances on either side; 0 for one bucket per distance.
    pub(crate) buckets: usize,
    /// The longest distance.
    pub(crate) most: usize,
    pub(crate) content_to_position: bool,
    pub(crate) position_to_content: bool,
    /// Whether positions are projected with the weights of contents.
    pub(crate) shares_projections: bool,
    /// Whether the embeddings of distances are normalised.
    pub(crate) is_normalised: bool,
}

/// What stands between two dense layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    Gelu,
    /// The approximation by tanh.
    GeluTanh,
    Relu,
    Tanh,
}

/// `config.json` as it is written.
#[derive(Deserialize)]
struct Raw {
    vocab_size: usize,
    #[serde(alias = "dim")]
    hidden_size: usize,
    #[serde(alias = "n_layers")]
    num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    num_attention_heads: usize,
    #[serde(alias = "hidden_dim")]
    intermediate_size: usize,
    max_position_embeddings: usize,
    #[serde(default)]
    type_vocab_size: usize,
    layer_norm_eps: Option<f32>,
    #[serde(alias = "activation")]
    hidden_act: Option<String>,
    pad_token_id: Option<usize>,
    #[serde(default)]
    id2label: BTreeMap<String, String>,
    embedding_size: Option<usize>,
    pooler_hidden_size: Option<usize>,
    pooler_hidden_act: Option<String>,
    position_embedding_type: Option<String>,
    #[serde(default)]
    relative_attention: bool,
    max_relative_positions: Option<i64>,
    position_buckets: Option<i64>,
    position_biased_input: Option<bool>,
    #[serde(default)]
    share_att_key: bool,
    #[serde(default)]
    pos_att_type: Option<Positions>,
    norm_rel_ebd: Option<String>,
    #[serde(default)]
    conv_kernel_size: usize,
    #[serde(default)]
    is_decoder: bool,
}

/// `["c2p", "p2c"]`, or `"c2p|p2c"` in older files.
#[derive(Deserialize)]
#[serde(untagged)]
enum Positions {
    List(Vec<String>),
    Text(String),
}

impl Positions {
    fn names(&self, wanted: &str) -> bool {
        match self {
            Self::List(list) => list.iter().any(|name| name.eq_ignore_ascii_case(wanted)),
            Self::Text(text) => text
                .split('|')
                .any(|name| name.trim().eq_ignore_ascii_case(wanted)),
        }
    }
}

impl Config {
    /// Reads `config.json`.
    pub(crate) fn read(json: &[u8]) -> Result<Self, LoadError> {
        // The name comes first, so that another architecture is told by its name and not by the
        // fields that it lacks.
        #[derive(Deserialize)]
        struct Named {
            model_type: String,
        }
        let wrong = |error: serde_json::Error| LoadError::Config(error.to_string().into());
        let named: Named = serde_json::from_slice(json).map_err(wrong)?;
        let architecture = match named.model_type.as_str() {
            "bert" => Architecture::Bert,
            "roberta" | "xlm-roberta" => Architecture::Roberta,
            "distilbert" => Architecture::DistilBert,
            "deberta-v2" => Architecture::DebertaV2,
            _ => return Err(LoadError::Architecture(named.model_type)),
        };
        let raw: Raw = serde_json::from_slice(json).map_err(wrong)?;
        raw.check()?;
        let deberta = architecture == Architecture::DebertaV2;
        let relative = (deberta && raw.relative_attention)
            .then(|| raw.relative())
            .transpose()?;
        Ok(Self {
            architecture,
            vocabulary: raw.vocab_size,
            width: raw.hidden_size,
            embedding_width: raw.embedding_size.unwrap_or(raw.hidden_size),
            layers: raw.num_hidden_layers,
            heads: raw.num_attention_heads,
            inner: raw.intermediate_size,
            positions: raw.max_position_embeddings,
            kinds: raw.type_vocab_size,
            epsilon: raw
                .layer_norm_eps
                .unwrap_or(if deberta { 1e-7 } else { 1e-12 }),
            activation: activation(raw.hidden_act.as_deref().unwrap_or("gelu"))?,
            pooler_activation: match architecture {
                Architecture::DebertaV2 => {
                    activation(raw.pooler_hidden_act.as_deref().unwrap_or("gelu"))?
                }
                Architecture::DistilBert => Activation::Relu,
                Architecture::Bert | Architecture::Roberta => Activation::Tanh,
            },
            padding: raw.pad_token_id.unwrap_or(0),
            labels: raw.labels()?,
            relative,
            has_absolute_positions: !deberta || raw.position_biased_input.unwrap_or(true),
        })
    }
}

impl Raw {
    fn check(&self) -> Result<(), LoadError> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
        ];
        for (name, size) in sizes {
            if !(1..=MOST).contains(&size) {
                return refuse(format!("`{name}` is {size}"));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return refuse("`hidden_size` is no multiple of `num_attention_heads`");
        }
        if self.is_decoder {
            return refuse("`is_decoder` is set, and a decoder is no classifier");
        }
        if self.conv_kernel_size > 0 {
            return refuse("a convolution beside attention (`conv_kernel_size`) is not supported");
        }
        if self
            .position_embedding_type
            .as_deref()
            .is_some_and(|kind| kind != "absolute")
        {
            return refuse("`position_embedding_type` other than `absolute` is not supported");
        }
        if self
            .pooler_hidden_size
            .is_some_and(|size| size != self.hidden_size)
        {
            return refuse("`pooler_hidden_size` differs from `hidden_size`");
        }
        Ok(())
    }

    fn relative(&self) -> Result<Relative, LoadError> {
        let most = match self.max_relative_positions {
            Some(most) if most >= 1 => usize::try_from(most).unwrap_or(MOST),
            _ => self.max_position_embeddings,
        };
        let buckets = usize::try_from(self.position_buckets.unwrap_or(-1)).unwrap_or(0);
        if most > MOST || buckets > most {
            return refuse("`position_buckets` is beyond `max_relative_positions`");
        }
        let names = |wanted| {
            let kinds = self.pos_att_type.as_ref();
            kinds.is_some_and(|kinds| kinds.names(wanted))
        };
        Ok(Relative {
            buckets,
            most,
            content_to_position: names("c2p"),
            position_to_content: names("p2c"),
            shares_projections: self.share_att_key,
            is_normalised: self
                .norm_rel_ebd
                .as_deref()
                .is_some_and(|kinds| kinds.split('|').any(|kind| kind.trim() == "layer_norm")),
        })
    }

    /// The labels by their numbers; two without names where the file names none, as the reference
    /// implementation has it.
    fn labels(&self) -> Result<Vec<String>, LoadError> {
        if self.id2label.is_empty() {
            return Ok(vec!["LABEL_0".to_owned(), "LABEL_1".to_owned()]);
        }
        (0..self.id2label.len())
            .map(|number| self.id2label.get(&number.to_string()).cloned())
            .collect::<Option<_>>()
            .ok_or(LoadError::Config(Cow::Borrowed(
                "`id2label` does not count from 0",
            )))
    }
}

fn refuse<T>(what: impl Into<Cow<'static, str>>) -> Result<T, LoadError> {
    Err(LoadError::Config(what.into()))
}

fn activation(name: &str) -> Result<Activation, LoadError> {
    match name {
        "gelu" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_pytorch_tanh" => Ok(Activation::GeluTanh),
        "relu" => Ok(Activation::Relu),
        "tanh" => Ok(Activation::Tanh),
        _ => refuse(format!("the activation `{name}` is not supported")),
    }
}
