//! The teacher: word vectors out of a small sentence encoder (BERT architecture, Devlin et al.
//! 2019), each word through the encoder alone, as in Model2Vec, then reduced by principal
//! components.

use std::{collections::HashMap, fs, path::Path};

use miette::{Context, IntoDiagnostic, Result, miette};
use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

const HEADS: usize = 12;
const LAYERS: usize = 6;
const EPSILON: f32 = 1e-12;
const CLS: usize = 101;
const SEP: usize = 102;

/// A dense layer.
struct Dense {
    weight: Array2<f32>,
    bias: Array1<f32>,
}

struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
}

struct Block {
    query: Dense,
    key: Dense,
    value: Dense,
    attended: Dense,
    attended_norm: Norm,
    inner: Dense,
    outer: Dense,
    outer_norm: Norm,
}

/// A sentence encoder of the MiniLM-L6-H384 kind with its vocabulary.
pub(crate) struct Encoder {
    words: Array2<f32>,
    positions: Array2<f32>,
    kind: Array1<f32>,
    norm: Norm,
    blocks: Vec<Block>,
    vocabulary: Vec<String>,
    ids: HashMap<String, usize>,
    digest: String,
}

impl Encoder {
    /// Reads `model.safetensors` and `vocab.txt` of `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let bytes = fs::read(folder.join("model.safetensors"))
            .into_diagnostic()
            .wrap_err("the encoder has no `model.safetensors`")?;
        let tensors = SafeTensors::deserialize(&bytes).into_diagnostic()?;
        let vocabulary: Vec<String> = fs::read_to_string(folder.join("vocab.txt"))
            .into_diagnostic()?
            .lines()
            .map(str::to_owned)
            .collect();
        let ids = vocabulary.iter().cloned().zip(0..).collect();
        let blocks = (0..LAYERS)
            .map(|layer| {
                let at = |name: &str| format!("encoder.layer.{layer}.{name}");
                Ok(Block {
                    query: dense(&tensors, &at("attention.self.query"))?,
                    key: dense(&tensors, &at("attention.self.key"))?,
                    value: dense(&tensors, &at("attention.self.value"))?,
                    attended: dense(&tensors, &at("attention.output.dense"))?,
                    attended_norm: norm(&tensors, &at("attention.output.LayerNorm"))?,
                    inner: dense(&tensors, &at("intermediate.dense"))?,
                    outer: dense(&tensors, &at("output.dense"))?,
                    outer_norm: norm(&tensors, &at("output.LayerNorm"))?,
                })
            })
            .collect::<Result<_>>()?;
        let kinds = matrix(&tensors, "embeddings.token_type_embeddings.weight")?;
        Ok(Self {
            words: matrix(&tensors, "embeddings.word_embeddings.weight")?,
            positions: matrix(&tensors, "embeddings.position_embeddings.weight")?,
            kind: kinds.row(0).to_owned(),
            norm: norm(&tensors, "embeddings.LayerNorm")?,
            blocks,
            vocabulary,
            ids,
            digest: hex(&Sha256::digest(&bytes)),
        })
    }

    /// SHA-256 of the weights.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// The whole English words of the vocabulary, most frequent first.
    pub(crate) fn whole_words(&self) -> impl Iterator<Item = &str> {
        self.vocabulary
            .iter()
            .map(String::as_str)
            .filter(|word| word.len() > 1 && word.bytes().all(|b| b.is_ascii_lowercase()))
    }

    /// Greedy longest match, as WordPiece does (Wu et al. 2016); `None` for what it cannot spell.
    fn pieces(&self, word: &str) -> Option<Vec<usize>> {
        let mut pieces = vec![CLS];
        let mut rest = word;
        while !rest.is_empty() {
            let prefix = if pieces.len() == 1 { "" } else { "##" };
            let (id, len) = (1..=rest.len()).rev().find_map(|len| {
                let piece = rest.get(..len)?;
                Some((*self.ids.get(&format!("{prefix}{piece}"))?, len))
            })?;
            pieces.push(id);
            rest = rest.get(len..)?;
        }
        pieces.push(SEP);
        (pieces.len() <= 8).then_some(pieces)
    }

    /// One vector a word, rows in the order of `words`; zeros for what it cannot spell.
    pub(crate) fn vectors(&self, words: &[String]) -> Array2<f32> {
        let width = self.words.ncols();
        let mut vectors = Array2::zeros((words.len(), width));
        let mut by_length: Vec<Vec<(usize, Vec<usize>)>> = vec![Vec::new(); 9];
        for (at, word) in words.iter().enumerate() {
            if let Some(pieces) = self.pieces(word)
                && let Some(list) = by_length.get_mut(pieces.len())
            {
                list.push((at, pieces));
            }
        }
        for list in by_length {
            for batch in list.chunks(128) {
                let texts: Vec<&[usize]> = batch.iter().map(|(_, p)| p.as_slice()).collect();
                let encoded = self.encode(&texts);
                for ((at, _), row) in batch.iter().zip(encoded.rows()) {
                    vectors.row_mut(*at).assign(&row);
                }
            }
        }
        vectors
    }

    /// Texts of one length; the mean of the last layer, of length 1.
    fn encode(&self, texts: &[&[usize]]) -> Array2<f32> {
        let len = texts.first().map_or(0, |text| text.len());
        let width = self.words.ncols();
        let mut x = Array2::<f32>::zeros((texts.len() * len, width));
        for (mut row, (at, id)) in x
            .rows_mut()
            .into_iter()
            .zip(texts.iter().flat_map(|text| text.iter().enumerate()))
        {
            row.assign(&self.words.row(*id));
            row += &self.positions.row(at);
            row += &self.kind;
        }
        self.norm.apply(&mut x);
        for block in &self.blocks {
            x = block.apply(x, len);
        }
        let mut means = Array2::zeros((texts.len(), width));
        for (mut mean, rows) in means
            .rows_mut()
            .into_iter()
            .zip(x.axis_chunks_iter(Axis(0), len))
        {
            mean.assign(&rows.sum_axis(Axis(0)));
            let norm = mean.dot(&mean).sqrt().max(1e-9);
            mean /= norm;
        }
        means
    }
}

impl Dense {
    fn apply(&self, x: &ArrayView2<'_, f32>) -> Array2<f32> {
        x.dot(&self.weight.t()) + &self.bias
    }
}

impl Norm {
    fn apply(&self, x: &mut Array2<f32>) {
        for mut row in x.rows_mut() {
            let n = row.len() as f32;
            let mean = row.sum() / n;
            row -= mean;
            let variance = row.dot(&row) / n;
            row /= (variance + EPSILON).sqrt();
            row *= &self.weight;
            row += &self.bias;
        }
    }
}

impl Block {
    fn apply(&self, x: Array2<f32>, len: usize) -> Array2<f32> {
        let [query, key, value] =
            [&self.query, &self.key, &self.value].map(|dense| dense.apply(&x.view()));
        let width = x.ncols() / HEADS;
        let scale = 1.0 / (width as f32).sqrt();
        let mut attended = Array2::<f32>::zeros(x.dim());
        for start in (0..x.nrows()).step_by(len.max(1)) {
            for head in 0..HEADS {
                let rows = Slice::from(start..start + len);
                let columns = Slice::from(head * width..(head + 1) * width);
                let part = |of: &Array2<f32>| {
                    let rows = of.slice_axis(Axis(0), rows);
                    rows.slice_axis(Axis(1), columns).to_owned()
                };
                let mut scores = part(&query).dot(&part(&key).t()) * scale;
                for mut row in scores.rows_mut() {
                    let most = row.fold(f32::MIN, |a, b| a.max(*b));
                    row.mapv_inplace(|score| (score - most).exp());
                    row /= row.sum();
                }
                attended
                    .slice_axis_mut(Axis(0), rows)
                    .slice_axis_mut(Axis(1), columns)
                    .assign(&scores.dot(&part(&value)));
            }
        }
        let mut middle = self.attended.apply(&attended.view()) + &x;
        self.attended_norm.apply(&mut middle);
        let mut inner = self.inner.apply(&middle.view());
        inner.mapv_inplace(gelu);
        let mut outer = self.outer.apply(&inner.view()) + &middle;
        self.outer_norm.apply(&mut outer);
        outer
    }
}

/// Hendrycks and Gimpel (2016), with the error function of Abramowitz and Stegun (1964), 7.1.26,
/// whose error is below 1.5e-7.
fn gelu(x: f32) -> f32 {
    let z = (x / std::f32::consts::SQRT_2).abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t
        + 0.254_829_6)
        * t;
    let erf = (1.0 - poly * (-z * z).exp()).copysign(x);
    0.5 * x * (1.0 + erf)
}

fn matrix(tensors: &SafeTensors<'_>, name: &str) -> Result<Array2<f32>> {
    let tensor = tensors.tensor(name).into_diagnostic()?;
    let [rows, columns] = *tensor.shape() else {
        return Err(miette!("`{name}` is no matrix"));
    };
    Array2::from_shape_vec((rows, columns), floats(tensor.data())).into_diagnostic()
}

fn vector(tensors: &SafeTensors<'_>, name: &str) -> Result<Array1<f32>> {
    let tensor = tensors.tensor(name).into_diagnostic()?;
    Ok(Array1::from_vec(floats(tensor.data())))
}

fn dense(tensors: &SafeTensors<'_>, name: &str) -> Result<Dense> {
    Ok(Dense {
        weight: matrix(tensors, &format!("{name}.weight"))?,
        bias: vector(tensors, &format!("{name}.bias"))?,
    })
}

fn norm(tensors: &SafeTensors<'_>, name: &str) -> Result<Norm> {
    Ok(Norm {
        weight: vector(tensors, &format!("{name}.weight"))?,
        bias: vector(tensors, &format!("{name}.bias"))?,
    })
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `width` strongest principal components of the rows that are not zero, each row then of a
/// mean length of 1. Orthogonal iteration (Golub and Van Loan 2013, section 8.2.4).
pub(crate) fn principal(rows: &Array2<f32>, width: usize) -> Array2<f32> {
    let present: Vec<usize> = (0..rows.nrows())
        .filter(|at| rows.row(*at).dot(&rows.row(*at)) > 0.0)
        .collect();
    let mean = present
        .iter()
        .fold(Array1::<f32>::zeros(rows.ncols()), |sum, at| {
            sum + rows.row(*at)
        })
        / present.len().max(1) as f32;
    let mut centred = rows.clone();
    for at in &present {
        let mut row = centred.row_mut(*at);
        row -= &mean;
    }
    let covariance = centred.t().dot(&centred);
    let mut random = fastrand::Rng::with_seed(7);
    let mut basis = Array2::from_shape_simple_fn((rows.ncols(), width), || random.f32() - 0.5);
    for _ in 0..60 {
        basis = covariance.dot(&basis);
        orthonormal(&mut basis);
    }
    let mut reduced = centred.dot(&basis);
    let total: f32 = present
        .iter()
        .map(|at| reduced.row(*at).dot(&reduced.row(*at)).sqrt())
        .sum();
    reduced *= present.len() as f32 / total.max(1e-9);
    reduced
}

/// Gram-Schmidt on the columns.
fn orthonormal(basis: &mut Array2<f32>) {
    for at in 0..basis.ncols() {
        for before in 0..at {
            let other = basis.column(before).to_owned();
            let along = other.dot(&basis.column(at));
            basis.column_mut(at).scaled_add(-along, &other);
        }
        let norm = basis.column(at).dot(&basis.column(at)).sqrt().max(1e-20);
        let mut column = basis.column_mut(at);
        column /= norm;
    }
}

/// Vectors of `words`, from `cache` if it holds them.
pub(crate) fn cached(encoder: &Encoder, words: &[String], cache: &Path) -> Result<Array2<f32>> {
    let mut digest = Sha256::new();
    digest.update(encoder.digest());
    for word in words {
        digest.update(word);
        digest.update([0]);
    }
    let key = digest.finalize();
    if let Ok(bytes) = fs::read(cache)
        && let Some(rest) = bytes.strip_prefix(key.as_slice())
    {
        let values = floats(rest);
        return Array2::from_shape_vec((words.len(), values.len() / words.len().max(1)), values)
            .into_diagnostic();
    }
    let vectors = encoder.vectors(words);
    let mut bytes = key.to_vec();
    bytes.extend(vectors.iter().flat_map(|value| value.to_le_bytes()));
    fs::write(cache, bytes).into_diagnostic()?;
    Ok(vectors)
}
