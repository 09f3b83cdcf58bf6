use ndarray::{Array2, ArrayView2, Axis, Slice};

use super::dense::{Dense, Norm};
use crate::{
    LoadError,
    config::{Config, Relative},
    tensors::Tensors,
};

/// Attention of every token to every token, in several heads (Vaswani et al. 2017, section 3.2), with
/// distances between tokens where the architecture has them (He et al. 2021, section 3.1).
pub(super) struct Attention {
    pub(super) heads: usize,
    pub(super) query: Dense,
    pub(super) key: Dense,
    pub(super) value: Dense,
    pub(super) positions: Option<Projections>,
}

/// The vectors of distances, as one layer's queries and keys.
pub(super) struct Projections {
    key: Option<Array2<f32>>,
    query: Option<Array2<f32>>,
}

/// The vectors of distances, which all layers share.
pub(super) struct Distances {
    relative: Relative,
    embeddings: Array2<f32>,
}

/// The distances between the tokens of one text.
pub(super) struct Between<'a> {
    relative: &'a Relative,
    /// The bucket of `query - key` at `query - key + len - 1`.
    buckets: Vec<usize>,
}

impl Attention {
    pub(super) fn apply(&self, x: &Array2<f32>, between: Option<&Between<'_>>) -> Array2<f32> {
        let (len, width) = x.dim();
        let size = width / self.heads;
        let (query, key, value) = (
            self.query.apply(&x.view()),
            self.key.apply(&x.view()),
            self.value.apply(&x.view()),
        );
        let terms = 1 + between.map_or(0, |between| between.relative.terms());
        let scale = ((size * terms) as f32).sqrt().recip();
        let mut out = Array2::zeros((len, width));
        for head in 0..self.heads {
            let columns = Slice::from(head * size..(head + 1) * size);
            let (query, key) = (part(&query, columns), part(&key, columns));
            let mut scores = query.dot(&key.t());
            if let (Some(positions), Some(between)) = (&self.positions, between) {
                if let Some(keys) = &positions.key {
                    between.add(&mut scores, &query.dot(&part(keys, columns).t()));
                }
                if let Some(queries) = &positions.query {
                    between.add_turned(&mut scores, &key.dot(&part(queries, columns).t()));
                }
            }
            scores *= scale;
            softmax_rows(&mut scores);
            out.slice_axis_mut(Axis(1), columns)
                .assign(&scores.dot(&part(&value, columns)));
        }
        out
    }
}

impl Relative {
    /// Vectors of distances in either direction.
    fn span(&self) -> usize {
        if self.buckets > 0 {
            self.buckets
        } else {
            self.most
        }
    }

    fn terms(&self) -> usize {
        usize::from(self.content_to_position) + usize::from(self.position_to_content)
    }

    /// The bucket of a distance: exact when near, logarithmic beyond (He et al. 2021, as in the
    /// reference implementation's `make_log_bucket_position`).
    fn bucket(&self, distance: i64) -> i64 {
        let middle = (self.buckets / 2) as i64;
        if self.buckets == 0 || distance.abs() <= middle {
            return distance;
        }
        let (near, most) = (middle as f64, self.most as f64);
        let ratio = (distance.abs() as f64 / near).ln() / ((most - 1.0) / near).ln();
        let log = (ratio * (near - 1.0)).ceil() as i64 + middle;
        log * distance.signum()
    }
}

impl Distances {
    pub(super) fn read(
        relative: Relative,
        config: &Config,
        tensors: &Tensors<'_>,
    ) -> Result<Self, LoadError> {
        let shape = [2 * relative.span(), config.width];
        let mut embeddings = tensors.matrix("encoder.rel_embeddings.weight", shape)?;
        if relative.is_normalised {
            Norm::read(tensors, "encoder.LayerNorm", config)?.apply(&mut embeddings);
        }
        Ok(Self {
            relative,
            embeddings,
        })
    }

    /// The distances as the layer `at` sees them.
    pub(super) fn projections(
        &self,
        tensors: &Tensors<'_>,
        at: &str,
    ) -> Result<Projections, LoadError> {
        let width = self.embeddings.ncols();
        let project = |wanted: bool, own: &str, shared: &str| {
            wanted
                .then(|| {
                    let name = if self.relative.shares_projections {
                        shared
                    } else {
                        own
                    };
                    let dense = Dense::read(tensors, &format!("{at}.{name}"), [width, width])?;
                    Ok(dense.apply(&self.embeddings.view()))
                })
                .transpose()
        };
        let Relative {
            content_to_position,
            position_to_content,
            ..
        } = self.relative;
        Ok(Projections {
            key: project(content_to_position, "pos_key_proj", "key_proj")?,
            query: project(position_to_content, "pos_query_proj", "query_proj")?,
        })
    }

    /// The distances in a text of `len` tokens.
    pub(super) fn between(&self, len: usize) -> Between<'_> {
        let span = self.relative.span() as i64;
        let len = len as i64;
        let buckets = (1 - len..len)
            .map(|distance| (self.relative.bucket(distance) + span).clamp(0, 2 * span - 1) as usize)
            .collect();
        Between {
            relative: &self.relative,
            buckets,
        }
    }
}

impl Between<'_> {
    /// Adds, at (query, key), what the query says to the distance of the two; `said` has a row per
    /// query and a column per bucket.
    fn add(&self, scores: &mut Array2<f32>, said: &Array2<f32>) {
        let len = scores.nrows();
        for (query, (mut row, said)) in scores.rows_mut().into_iter().zip(said.rows()).enumerate() {
            // Distances fall as the key moves on.
            let buckets = self.buckets.iter().take(query + len).rev();
            for (score, bucket) in row.iter_mut().zip(buckets) {
                *score += said.get(*bucket).copied().unwrap_or(0.0);
            }
        }
    }

    /// Adds, at (query, key), what the key says to the distance of the two; `said` has a row per key.
    fn add_turned(&self, scores: &mut Array2<f32>, said: &Array2<f32>) {
        let len = scores.nrows();
        for (key, (mut column, said)) in scores
            .columns_mut()
            .into_iter()
            .zip(said.rows())
            .enumerate()
        {
            let buckets = self.buckets.iter().skip(len - 1 - key);
            for (score, bucket) in column.iter_mut().zip(buckets) {
                *score += said.get(*bucket).copied().unwrap_or(0.0);
            }
        }
    }
}

/// One head's columns.
fn part(all: &Array2<f32>, columns: Slice) -> ArrayView2<'_, f32> {
    all.slice_axis(Axis(1), columns)
}

fn softmax_rows(scores: &mut Array2<f32>) {
    for mut row in scores.rows_mut() {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.mapv_inplace(|score| (score - most).exp());
        let sum = row.sum();
        row /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELATIVE: Relative = Relative {
        buckets: 256,
        most: 512,
        content_to_position: true,
        position_to_content: true,
        shares_projections: true,
        is_normalised: true,
    };

    /// Values of `make_log_bucket_position(_, 256, 512)` of transformers 5.
    #[test]
    fn far_distances_share_buckets() {
        for (distance, bucket) in [
            (0, 0),
            (1, 1),
            (127, 127),
            (128, 128),
            (129, 129),
            (200, 169),
            (511, 255),
        ] {
            assert_eq!(RELATIVE.bucket(distance), bucket, "{distance}");
            assert_eq!(RELATIVE.bucket(-distance), -bucket, "-{distance}");
        }
    }
}
