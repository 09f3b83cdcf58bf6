use std::collections::HashSet;

use bartizan_formats::{MAX_HEADER, Source};

use super::{
    ConvertError, ConvertLimits,
    tensor::{Data, Tensor},
};

/// Every tensor of a file, and what a new file will not hold.
pub struct Plan<'s> {
    pub(super) source: &'s dyn Source,
    pub(super) tensors: Vec<Tensor<'s>>,
    pub(super) ties: Vec<(String, String)>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) more_left_out: u64,
    pub(super) notes: Vec<String>,
    pub(super) framework: &'static str,
    /// Bytes of all names.
    names: u64,
}

/// Something that is no tensor, or none that the new format has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it stands among names, e.g. `optimizer.state`.
    pub path: String,
    /// What it is.
    pub what: String,
}

/// Most things that are named one by one.
const NAMED: usize = 1_000;

/// A name that the format keeps for itself.
const METADATA: &str = "__metadata__";

impl<'s> Plan<'s> {
    pub(super) fn new(source: &'s dyn Source, framework: &'static str) -> Self {
        Self {
            source,
            tensors: Vec::new(),
            ties: Vec::new(),
            left_out: Vec::new(),
            more_left_out: 0,
            notes: Vec::new(),
            framework,
            names: 0,
        }
    }

    /// The tensors, in the order of the new file.
    #[must_use]
    pub fn tensors(&self) -> &[Tensor<'s>] {
        &self.tensors
    }

    /// Names of tensors that are the same bytes as another one, which is written once: name, and the
    /// name of the one that is written.
    #[must_use]
    pub fn ties(&self) -> &[(String, String)] {
        &self.ties
    }

    /// What the new file will not hold: the first thousand.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// How much more than [`Plan::left_out`] names.
    #[must_use]
    pub const fn more_left_out(&self) -> u64 {
        self.more_left_out
    }

    /// What is lost without meaning, or written in another way.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(super) fn leave_out(&mut self, path: &str, what: impl Into<String>) {
        if self.left_out.len() >= NAMED {
            self.more_left_out += 1;
            return;
        }
        self.left_out.push(LeftOut {
            path: path.to_owned(),
            what: what.into(),
        });
    }

    /// Adds a tensor whose bytes are in the file, of which `available` begin at `base`.
    pub(super) fn stored(
        &mut self,
        tensor: Tensor<'s>,
        (base, available): (u64, u64),
    ) -> Result<(), ConvertError> {
        let Data::Stored { at, strides } = &tensor.data else {
            return Err(tensor.wrong("its bytes are compressed"));
        };
        if strides.len() != tensor.shape.len() {
            return Err(tensor.wrong("it has not as many strides as sides"));
        }
        let count = super::tensor::items(&tensor.shape);
        let count = count.ok_or_else(|| tensor.wrong("its shape cannot be counted"))?;
        if count > 0 {
            let outside = || tensor.wrong("it reaches out of its storage");
            let (_, end) = tensor.span().ok_or_else(outside)?;
            let last = base.checked_add(available).ok_or_else(outside)?;
            if *at < base || end > last || last > self.source.len() {
                return Err(outside());
            }
            // Repetition makes much out of little, and no weight is stored like this.
            if count > available / tensor.kind.bytes {
                return Err(tensor.wrong("it repeats the items of its storage"));
            }
        }
        self.push(tensor)
    }

    /// Adds a tensor whose place was checked.
    pub(super) fn push(&mut self, tensor: Tensor<'s>) -> Result<(), ConvertError> {
        // All of them stand in the header of the new file.
        self.names = self.names.saturating_add(tensor.name.len() as u64);
        if self.names > MAX_HEADER {
            return Err(ConvertError::Exhausted {
                limit: "bytes of all names",
                max: MAX_HEADER,
            });
        }
        self.tensors.push(tensor);
        Ok(())
    }

    /// Checks names and sizes, joins what is the same, and brings everything into its order.
    pub(super) fn finish(mut self, limits: &ConvertLimits) -> Result<Self, ConvertError> {
        let mut names = HashSet::new();
        for tensor in &self.tensors {
            if tensor.name == METADATA || !names.insert(tensor.name.as_str()) {
                return Err(ConvertError::Duplicate(tensor.name.clone()));
            }
        }
        self.tie();
        let mut sum = 0_u64;
        for tensor in &self.tensors {
            sum = sum.saturating_add(tensor.bytes());
        }
        if sum > limits.max_bytes {
            return Err(ConvertError::Exhausted {
                limit: "max-bytes",
                max: limits.max_bytes,
            });
        }
        // As the reference writes them: wide items first, so that each stands at a multiple of its
        // width (safetensors, `tensor.rs`, `prepare`).
        self.tensors.sort_by(|a, b| {
            let key = |tensor: &Tensor<'_>| std::cmp::Reverse(tensor.kind.bytes);
            key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
        });
        Ok(self)
    }

    /// Writes equal tensors once, and says which others share bytes.
    fn tie(&mut self) {
        let mut order: Vec<usize> = (0..self.tensors.len()).collect();
        let place = |index: &usize| {
            let tensor = self.tensors.get(*index)?;
            Some((tensor.span()?, tensor.name.clone()))
        };
        order.retain(|index| place(index).is_some());
        order.sort_by_key(place);
        let mut gone = HashSet::new();
        let mut shared = 0_usize;
        let mut before: Option<&Tensor<'_>> = None;
        let mut end = 0;
        for index in order {
            let Some(tensor) = self.tensors.get(index) else {
                continue;
            };
            let Some((start, own_end)) = tensor.span() else {
                continue;
            };
            if let Some(first) = before.filter(|first| is_same(first, tensor)) {
                self.ties.push((tensor.name.clone(), first.name.clone()));
                gone.insert(index);
                continue;
            }
            shared += usize::from(start < end);
            end = end.max(own_end);
            before = Some(tensor);
        }
        if shared > 0 {
            let words = if shared == 1 {
                "1 tensor shares bytes with another one and gets a copy of its own".to_owned()
            } else {
                format!("{shared} tensors share bytes with others and get copies of their own")
            };
            self.notes.push(words);
        }
        let mut index = 0;
        self.tensors.retain(|_| {
            index += 1;
            !gone.contains(&(index - 1))
        });
    }
}

fn is_same(a: &Tensor<'_>, b: &Tensor<'_>) -> bool {
    let (
        Data::Stored { at, strides },
        Data::Stored {
            at: b_at,
            strides: b_strides,
        },
    ) = (&a.data, &b.data)
    else {
        return false;
    };
    a.bytes() > 0 && (a.kind, &a.shape, at, strides) == (b.kind, &b.shape, b_at, b_strides)
}
