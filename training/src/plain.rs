//! Everyday sentences around any word: what most text is, and what sets about prompts do not hold.
//!
//! A net that learns from prompts and attacks alone takes for an attack what it only ever saw in one,
//! down to single words ("the keeper walked home"). Words put at random into sentences that ask for
//! nothing tell it that no word is an attack by itself (Li et al. 2024, "InjecGuard", train with such
//! texts to mitigate over-defence).

use crate::{
    augment::example,
    data::{Example, Eyes, Label},
};

/// Sentences that tell, describe, report, or ask in passing. `{w}` is any word.
const SENTENCES: &[&str] = &[
    "The {w} stood by the window and said nothing.",
    "She carried the {w} up the stairs before breakfast.",
    "He never liked the {w}, but he kept it for thirty years.",
    "In the morning the {w} was gone.",
    "My brother works with {w} in a small town near the coast.",
    "A {w} came round the corner and stopped in front of the bakery.",
    "When the rain began, the {w} ran back to the house.",
    "They had been waiting for the {w} since noon.",
    "Nobody in the village remembered the {w} any more.",
    "The old {w} smiled at the children and closed the gate.",
    "The {w} opened the letter, read it twice, and put it into the fire.",
    "Two {w} sat at the next table and talked about the {w}.",
    "After the war the {w} moved to the city and found work in a mill.",
    "Her father was a {w}, her mother taught {w} at school.",
    "The captain looked at the {w} and then at the sea.",
    "It was the last {w} of the summer.",
    "The {w} crossed the bridge at dusk with a lantern in one hand.",
    "Once there lived a {w} who was afraid of the {w}.",
    "The {w} sang until the lamps went out.",
    "I remember the smell of {w} in my grandmother's kitchen.",
    "We walked along the {w} and watched the boats.",
    "The {w} of the house had died the winter before.",
    "Snow covered the {w}, the road, and the roofs.",
    "The dog barked at the {w} all night.",
    "The {w} was elected with a majority of twelve votes.",
    "Police said on Monday that the {w} had been found unharmed.",
    "Prices of {w} rose by three percent in August.",
    "The company sold its {w} division last year.",
    "The {w} opens at nine and closes at six, on Sundays at four.",
    "Local farmers complain about the {w}.",
    "The minister praised the {w} and promised more money for {w}.",
    "The team lost two to one after the {w} missed a penalty.",
    "Rain is expected in the north, with {w} later in the day.",
    "The exhibition shows forty {w} from private collections.",
    "Researchers measured the {w} in ten lakes over five years.",
    "The {w} belongs to a family of about two hundred species.",
    "Most {w} are found in warm and dry places.",
    "The word {w} comes from Latin and is rarely used today.",
    "In physics, {w} is the ratio of two quantities.",
    "The {w} consists of a handle, a spring, and a cover.",
    "Bread, butter, {w}, and a pound of {w}.",
    "Add the {w}, stir well, and leave it to cool for an hour.",
    "The hotel was clean, the {w} was friendly, but the {w} was cold.",
    "I have had this {w} for a year now and it still looks new.",
    "Good value, although the {w} could be a little longer.",
    "Our flight was late because of the {w}.",
    "Turn left behind the {w} and follow the river for a mile.",
    "The path to the {w} starts behind the church.",
    "Dear Anna, thank you for the {w}, it arrived this morning.",
    "We would like to invite you to our {w} on the fifth of May.",
    "Best wishes from the {w}, where it has not stopped raining.",
    "See you on Friday, and bring the {w} if you can.",
    "Could you tell me where the {w} is?",
    "Is there a {w} near the station?",
    "How much does a {w} cost in your country?",
    "What colour was the {w}?",
    "Why is the {w} so loud today?",
    "Have you ever seen a {w}?",
    "Which {w} do you like best, and why?",
    "Who wrote the book about the {w}?",
    "Can a {w} swim?",
    "When was the first {w} built?",
    "Does {w} keep in the fridge?",
    "I do not understand the {w} in chapter four.",
    "My daughter has to draw a {w} for her class.",
    "We need a new {w} for the office by the end of the month.",
    "The {w} is broken again, and the spare one is in the other building.",
    "Yesterday I saw the {w} for the first time.",
    "The meeting about the {w} was moved to Thursday.",
    "Attached you will find the {w} of last week.",
    "Invoice for one {w}, delivered on the third of June.",
    "The function returns the {w} of the list, or nothing if it is empty.",
    "The table holds one row for each {w}.",
    "The {w} test failed on the old machine and passed on the new one.",
    "Figure 3 shows the {w} before and after the repair.",
    "The defendant said that he had borrowed the {w}.",
    "Both parties agree that the {w} stays with the tenant.",
    "The patient had taken {w} for two weeks and felt better.",
    "The choir rehearses in the {w} every Tuesday.",
    "At low tide you can see the {w} from the shore.",
];

/// Examples drawn from each sentence.
const DRAWS: usize = 100;

/// Sentences around `words`, alone and a few of them in a row, all harmless.
pub(crate) fn plain(words: &[String], seed: u64) -> Vec<Example> {
    let mut random = fastrand::Rng::with_seed(seed);
    let eyes = Eyes::default();
    let mut made = Vec::with_capacity(DRAWS * SENTENCES.len());
    for _ in 0..DRAWS {
        for first in SENTENCES {
            let mut text = filled(first, words, &mut random);
            // Half of them alone, the others in a short passage.
            for _ in 0..random.usize(..4) * random.usize(..2) {
                let next = SENTENCES[random.usize(..SENTENCES.len())];
                text.push(' ');
                text.push_str(&filled(next, words, &mut random));
            }
            made.push(Example {
                label: Some(Label::Benign),
                ..example(&eyes, text, "plain")
            });
        }
    }
    made
}

fn filled(sentence: &str, words: &[String], random: &mut fastrand::Rng) -> String {
    let mut text = sentence.to_owned();
    while text.contains("{w}") {
        text = text.replacen("{w}", &words[random.usize(..words.len())], 1);
    }
    text
}
