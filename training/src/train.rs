//! Learning: what is drawn, what is asked of it, and how long.

use std::collections::{BTreeMap, HashMap};

use ndarray::Array2;

use crate::{
    data::{Example, Label, Token},
    harm::HARMS,
    net::{Forward, Gradient, NONE, Net, Optimiser, Rows, Slope},
    shape::{BUCKETS, FEATURES, HEADS, VOCABULARY, WIDTH},
};

/// Examples of a batch.
const BATCH: usize = 64;
/// Threads; each takes the same part of a batch whatever the machine.
const THREADS: usize = 2;

/// How to learn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Examples drawn.
    pub(crate) draws: usize,
    /// Seed of everything random.
    pub(crate) seed: u64,
}

/// What is known about words beforehand.
pub(crate) struct Teacher {
    /// One row per word.
    pub(crate) vectors: Array2<f32>,
    /// Hashes of the words, most frequent first.
    pub(crate) words: Vec<u32>,
}

/// Words and where their rows stand.
#[derive(Clone)]
pub(crate) struct Vocabulary {
    /// Hashes in the order of their rows.
    pub(crate) hashes: Vec<u32>,
    rows: HashMap<u32, u32>,
    /// What the embeddings begin with.
    pub(crate) base: Vec<f32>,
}

impl Vocabulary {
    /// The words that most sources of `train` use, then the most frequent ones of the teacher.
    pub(crate) fn new(train: &[&Example], teacher: &Teacher) -> Self {
        let Teacher {
            vectors,
            words: teacher,
        } = teacher;
        let mut sources: HashMap<u32, (BTreeMap<&str, ()>, usize)> = HashMap::new();
        for example in train {
            for token in example.tokens.iter().filter(|token| **token != Token::GAP) {
                let entry = sources.entry(token.hash).or_default();
                entry.0.insert(&example.source, ());
                entry.1 += 1;
            }
        }
        let mut words: Vec<(usize, usize, u32)> = sources
            .into_iter()
            .map(|(hash, (sources, count))| (sources.len(), count, hash))
            .filter(|(sources, count, _)| *count >= 6 && *sources >= 2 || *count >= 30)
            .collect();
        words.sort_unstable_by(|a, b| b.cmp(a));
        words.truncate(VOCABULARY * 13 / 20);
        let known: HashMap<u32, usize> = teacher.iter().copied().zip(0..).collect();
        let mut hashes: Vec<u32> = words.into_iter().map(|(_, _, hash)| hash).collect();
        let mut rows: HashMap<u32, u32> = hashes.iter().copied().zip(0..).collect();
        for hash in teacher {
            if hashes.len() >= VOCABULARY {
                break;
            }
            if !rows.contains_key(hash) {
                rows.insert(*hash, hashes.len() as u32);
                hashes.push(*hash);
            }
        }
        let mut random = fastrand::Rng::with_seed(11);
        let mut base = Vec::with_capacity((hashes.len() + BUCKETS) * WIDTH);
        for hash in &hashes {
            match known.get(hash) {
                Some(at) => base.extend(vectors.row(*at)),
                None => base.extend((0..WIDTH).map(|_| (random.f32() - 0.5) * 0.2)),
            }
        }
        base.extend((0..BUCKETS * WIDTH).map(|_| (random.f32() - 0.5) * 0.2));
        Self { hashes, rows, base }
    }

    fn parts(&self, token: &Token) -> Rows {
        let first = self.hashes.len() as u32;
        token.parts.map(|part| first + u32::from(part))
    }

    /// The rows of a token.
    pub(crate) fn rows(&self, token: &Token) -> Rows {
        if *token == Token::GAP {
            return [NONE; 3];
        }
        match self.rows.get(&token.hash) {
            Some(row) => [*row, NONE, NONE],
            None => self.parts(token),
        }
    }
}

/// How likely each example is drawn: classes in fixed shares, within a class each source by the
/// root of its size, so that big template sets do not drown the small ones.
struct Urn {
    shares: Vec<(f32, Vec<usize>)>,
}

impl Urn {
    fn new(examples: &[&Example], keep: impl Fn(&Example) -> bool) -> Self {
        let mut sources: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, example) in examples.iter().enumerate() {
            if keep(example) {
                sources.entry(&example.source).or_default().push(at);
            }
        }
        let mut sum = 0.0;
        let shares = sources
            .into_iter()
            .map(|(source, members)| {
                sum += (members.len() as f32).sqrt() * weight(source);
                (sum, members)
            })
            .collect();
        Self { shares }
    }

    fn draw(&self, random: &mut fastrand::Rng) -> Option<usize> {
        let most = self.shares.last()?.0;
        let at = random.f32() * most;
        let (_, members) = self.shares.iter().find(|(sum, _)| *sum >= at)?;
        Some(members[random.usize(..members.len())])
    }
}

/// Sources that count more or less than their size says.
fn weight(source: &str) -> f32 {
    match source {
        "safety_prompts_zh" | "own_obfuscated" => 0.5,
        "own_obfuscated_benign" => 0.7,
        _ if source.starts_with("made_") => 3.0,
        "oasst" | "self_instruct" | "own_hard" | "gpteacher_roleplay" | "deepset" => 2.0,
        "awesome_chatgpt_prompts" | "prompt_engineering_guide" => 1.5,
        _ if source.starts_with("contrast_") => 2.0,
        _ => 1.0,
    }
}

/// What is drawn: rows of tokens and what is known about them.
struct Draw {
    rows: Vec<Rows>,
    label: Option<Label>,
    harms: Option<[i8; HARMS]>,
    spans: Vec<(usize, usize)>,
}

struct Pool<'a> {
    examples: &'a [&'a Example],
    vocabulary: &'a Vocabulary,
    attacks: Urn,
    benign: Urn,
    hard: Urn,
    harms: Urn,
    hosts: Urn,
    snippets: Urn,
    orders: Urn,
}

impl<'a> Pool<'a> {
    fn new(examples: &'a [&'a Example], vocabulary: &'a Vocabulary) -> Self {
        let is = |label: Label| move |e: &Example| e.label == Some(label) && !is_harm(e);
        let benign = is(Label::Benign);
        let hard = is(Label::BenignHard);
        Self {
            attacks: Urn::new(examples, |e| e.label.is_some_and(Label::is_attack)),
            benign: Urn::new(examples, benign),
            hard: Urn::new(examples, hard),
            harms: Urn::new(examples, is_harm),
            hosts: Urn::new(examples, |e| benign(e) && e.tokens.len() > 60),
            snippets: Urn::new(examples, |e| {
                (benign(e) || hard(e)) && e.tokens.len() < 60 && !is_wish(&e.source)
            }),
            orders: Urn::new(examples, |e| {
                e.label == Some(Label::Injection)
                    && e.tokens.len() < 70
                    && e.spans.is_empty()
                    && e.source != "safety_prompts_zh"
                    && e.source != "own_obfuscated"
            }),
            examples,
            vocabulary,
        }
    }

    fn draw(&self, random: &mut fastrand::Rng) -> Option<Draw> {
        let pick = random.f32();
        let one = |urn: &Urn, random: &mut fastrand::Rng| Some(self.examples[urn.draw(random)?]);
        if pick < 0.12 {
            // A document with something put into it: an order, or something harmless.
            let host = one(&self.hosts, random)?;
            let is_attack = random.f32() < 0.45;
            let guest = one(
                if is_attack {
                    &self.orders
                } else {
                    &self.snippets
                },
                random,
            )?;
            let cut = cut(&host.tokens, random);
            let mut tokens = host.tokens[..cut].to_vec();
            let start = tokens.len();
            tokens.extend(guest.tokens.iter().take_while(|t| **t != Token::GAP));
            let span = (start, tokens.len());
            tokens.extend(&host.tokens[cut..]);
            let label = if is_attack {
                Label::Injection
            } else {
                Label::Benign
            };
            let spans = if is_attack { vec![span] } else { Vec::new() };
            return Some(self.crop(&tokens, Some(label), None, &spans, random));
        }
        let example = if pick < 0.45 {
            one(&self.attacks, random)?
        } else if pick < 0.70 {
            one(&self.benign, random)?
        } else if pick < 0.92 {
            one(&self.hard, random)?
        } else {
            one(&self.harms, random)?
        };
        Some(self.crop(
            &example.tokens,
            example.label,
            example.harms,
            &example.spans,
            random,
        ))
    }

    /// A part of a long text, with some words hidden or known by their parts only.
    fn crop(
        &self,
        tokens: &[Token],
        label: Option<Label>,
        harms: Option<[i8; HARMS]>,
        spans: &[(usize, usize)],
        random: &mut fastrand::Rng,
    ) -> Draw {
        let most = if label.is_some_and(Label::is_attack) && spans.is_empty() {
            240
        } else {
            168
        };
        let mut start = 0;
        if tokens.len() > most {
            start = random.usize(..tokens.len() - most);
            if let Some((from, to)) = spans.first() {
                let around = most.saturating_sub(to - from).max(1);
                start = from.saturating_sub(random.usize(..around));
            }
        } else if tokens.len() > 8 {
            // Where blocks begin should not matter.
            start = random.usize(..3);
            if spans.iter().any(|(from, _)| *from < start) {
                start = 0;
            }
        }
        let end = (start + most).min(tokens.len());
        let unknown = if random.bool() { 0.02 } else { 0.12 };
        let rows = tokens[start..end]
            .iter()
            .map(|token| match random.f32() {
                r if r < 0.03 => [NONE; 3],
                r if r < 0.03 + unknown && *token != Token::GAP => self.vocabulary.parts(token),
                _ => self.vocabulary.rows(token),
            })
            .collect();
        let spans = spans
            .iter()
            .filter(|(from, to)| *to > start && *from < end)
            .map(|(from, to)| (from.saturating_sub(start), (to - start).min(end - start)))
            .collect();
        Draw {
            rows,
            label,
            harms,
            spans,
        }
    }
}

/// Whether a source holds wishes addressed to an assistant, which in the middle of a document would
/// be what an attack is: an order from a place that has no orders to give.
fn is_wish(source: &str) -> bool {
    source.starts_with("gpteacher")
        || source.starts_with("contrast_")
        || matches!(
            source,
            "self_instruct"
                | "oasst"
                | "mt_bench"
                | "bfcl"
                | "ha_intents"
                | "snips"
                | "nlu_evaluation"
        )
}

/// Whether an example is of the harm sets.
pub(crate) fn is_harm(example: &Example) -> bool {
    example
        .harms
        .is_some_and(|harms| harms.iter().any(|harm| *harm != 0))
        || matches!(
            example.source.as_str(),
            "openai_moderation_eval" | "surge_toxicity"
        )
}

/// Where something can be put into a text: after a sentence or a line.
fn cut(tokens: &[Token], random: &mut fastrand::Rng) -> usize {
    let stops: Vec<usize> = {
        let ends = [".", "\n", "!", "?"].map(|mark| {
            bartizan_classify::words::Word {
                bytes: mark.as_bytes(),
                is_lettered: false,
            }
            .hash()
        });
        (1..)
            .zip(tokens)
            .filter(|(_, token)| ends.contains(&token.hash))
            .map(|(at, _)| at)
            .collect()
    };
    if stops.is_empty() {
        tokens.len()
    } else {
        stops[random.usize(..stops.len())]
    }
}

/// How much more an attack a window looks than ordinary text: the log-odds.
pub(crate) fn margin(heads: &[f32; HEADS]) -> f32 {
    let most = heads[1].max(heads[2]);
    most + (1.0 + (heads[1].min(heads[2]) - most).exp()).ln() - heads[0]
}

/// Learns from `examples`.
pub(crate) fn train(examples: &[&Example], vocabulary: &Vocabulary, plan: Plan) -> Net {
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let mut net = Net::new(vocabulary.base.clone(), &mut random);
    let rows = vocabulary.hashes.len() + BUCKETS;
    let mut optimiser = Optimiser::new(&net);
    let mut gradients: Vec<Gradient> = (0..THREADS).map(|_| Gradient::new(rows)).collect();
    let pool = Pool::new(examples, vocabulary);
    let steps = plan.draws / BATCH;
    let mut running = 0.0;
    for step in 0..steps {
        let seeds: Vec<u64> = (0..THREADS).map(|_| random.u64(..)).collect();
        let losses: Vec<f32> = std::thread::scope(|scope| {
            let threads: Vec<_> = gradients
                .iter_mut()
                .zip(&seeds)
                .map(|(gradient, seed)| {
                    let (net, pool) = (&net, &pool);
                    scope.spawn(move || {
                        let mut random = fastrand::Rng::with_seed(*seed);
                        gradient.clear();
                        let mut loss = 0.0;
                        for _ in 0..BATCH / THREADS {
                            if let Some(draw) = pool.draw(&mut random) {
                                loss += learn(net, &draw, gradient, &mut random);
                            }
                        }
                        loss
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or(f32::NAN))
                .collect()
        });
        running = running * 0.98 + 0.02 * losses.iter().sum::<f32>() / BATCH as f32;
        let (first, rest) = gradients.split_at_mut(1);
        for other in rest.iter() {
            first[0].add(other);
        }
        let done = step as f32 / steps as f32;
        let slow = if done < 0.05 {
            done / 0.05
        } else {
            1.0 - 0.97 * (done - 0.05) / 0.95
        };
        optimiser.step(&mut net, &first[0], 3e-3 * slow, 0.03 * slow, 5e-4);
        if step % 1000 == 999 {
            println!(
                "{} of {} drawn, loss {running:.3}",
                (step + 1) * BATCH,
                plan.draws
            );
        }
    }
    net
}

/// Adds the slope of one example; returns its loss.
fn learn(net: &Net, draw: &Draw, gradient: &mut Gradient, random: &mut fastrand::Rng) -> f32 {
    if draw.rows.is_empty() {
        return 0.0;
    }
    let forward = net.forward(&draw.rows);
    let mut kept = [0.0; FEATURES];
    for kept in &mut kept {
        *kept = if random.f32() < 0.15 { 0.0 } else { 1.0 / 0.85 };
    }
    let answers: Vec<_> = forward
        .windows
        .iter()
        .map(|window| {
            let mut features = window.features;
            for (feature, kept) in features.iter_mut().zip(&kept) {
                *feature *= kept;
            }
            let answer = net.answer(&features);
            (features, answer)
        })
        .collect();
    let mut loss = 0.0;
    let back = |at: usize, heads: &[f32; HEADS], gradient: &mut Gradient| {
        let (features, answer) = &answers[at];
        let slope = Slope {
            window: &forward.windows[at],
            features,
            kept: &kept,
            answer,
            heads,
        };
        gradient.backward(net, &draw.rows, &forward, &slope);
    };
    if let Some(label) = draw.label {
        let fits = |at: &usize| overlaps(&forward, *at, &draw.spans);
        let worst = |inside: bool| {
            (0..answers.len())
                .filter(|at| draw.spans.is_empty() || fits(at) == inside)
                .max_by(|a, b| {
                    margin(&answers[*a].1.heads).total_cmp(&margin(&answers[*b].1.heads))
                })
        };
        let target = match label {
            Label::Benign | Label::BenignHard => 0,
            Label::Injection => 1,
            Label::Jailbreak => 2,
        };
        let mut asked = vec![(worst(true), target)];
        if !draw.spans.is_empty() {
            asked.push((worst(false), 0));
        }
        for (window, target) in asked {
            let Some(at) = window else { continue };
            let heads = &answers[at].1.heads;
            let p = softmax([heads[0], heads[1], heads[2]]);
            let mut slopes = [0.0; HEADS];
            for class in 0..3 {
                let wanted = if class == target { 0.96 } else { 0.02 };
                slopes[class] = p[class] - wanted;
                loss -= wanted * p[class].max(1e-9).ln();
            }
            back(at, &slopes, gradient);
        }
    }
    if let Some(harms) = draw.harms {
        let most = |at: usize| {
            answers[at].1.heads[3..]
                .iter()
                .fold(f32::MIN, |a, b| a.max(*b))
        };
        let worst = (0..answers.len()).max_by(|a, b| most(*a).total_cmp(&most(*b)));
        let asked = harms.iter().any(|harm| *harm != 0) || random.f32() < 0.2;
        if let Some(at) = worst.filter(|_| asked) {
            let mut slopes = [0.0; HEADS];
            for (harm, wanted) in harms.iter().enumerate().filter(|(_, wanted)| **wanted >= 0) {
                let p = 1.0 / (1.0 + (-answers[at].1.heads[3 + harm]).exp());
                slopes[3 + harm] = (p - f32::from(*wanted)) * 0.3;
            }
            back(at, &slopes, gradient);
        }
    }
    loss
}

fn overlaps(forward: &Forward, window: usize, spans: &[(usize, usize)]) -> bool {
    let (start, end) = forward.windows[window].tokens;
    // A window that sees a tail of two words is neither.
    spans
        .iter()
        .any(|(from, to)| end.min(*to) >= start.max(*from) + 3.min(to - from))
}

fn softmax(heads: [f32; 3]) -> [f32; 3] {
    let most = heads.iter().fold(f32::MIN, |a, b| a.max(*b));
    let exps = heads.map(|head| (head - most).exp());
    let sum: f32 = exps.iter().sum();
    exps.map(|exp| exp / sum)
}
