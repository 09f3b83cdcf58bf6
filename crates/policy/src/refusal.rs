use std::{collections::BTreeMap, fmt, str::FromStr};

use bartizan_core::Category;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which refusal text the other side gets. All that it tells is the kind of harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalKey {
    /// Something of this kind was found.
    Category(Category),
    /// Not everything could be looked at.
    Incomplete,
}

impl RefusalKey {
    /// The machine-readable code, e.g. `injection`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Category(category) => category.as_str(),
            Self::Incomplete => "incomplete",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Incomplete => Tone::Unavailable,
            Self::Category(Category::Shape) => Tone::Unreadable,
            Self::Category(Category::Pii | Category::Secret) => Tone::Sensitive,
            Self::Category(Category::SinkHazard | Category::Leak) => Tone::Withheld,
            Self::Category(Category::Session) => Tone::Paused,
            Self::Category(
                Category::Obfuscation
                | Category::Injection
                | Category::Jailbreak
                | Category::PromptExtraction
                | Category::ToolHijack
                | Category::Exfiltration
                | Category::Amplification
                | Category::Harm
                | Category::CodeExecution
                | Category::Integrity
                | Category::Vulnerability
                | Category::Misconfiguration
                | Category::Custom,
            ) => Tone::Declined,
        }
    }
}

impl fmt::Display for RefusalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no kind of refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of refusal `{0}`, expected a category such as `injection`, or `incomplete`")]
pub struct UnknownRefusal(String);

impl FromStr for RefusalKey {
    type Err = UnknownRefusal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Category::ALL
            .into_iter()
            .map(Self::Category)
            .chain([Self::Incomplete])
            .find(|key| key.as_str() == text)
            .ok_or_else(|| UnknownRefusal(text.to_owned()))
    }
}

impl Serialize for RefusalKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RefusalKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Refusal texts by locale and kind: own ones before built-in ones, the asked locale before its
/// language before the default before English.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusals {
    /// Own texts by lower-case locale.
    pub(crate) own: BTreeMap<String, BTreeMap<RefusalKey, String>>,
    /// The locale when the asked one is not known.
    pub(crate) default_locale: String,
}

impl Default for Refusals {
    /// The built-in texts, English by default.
    fn default() -> Self {
        Self {
            own: BTreeMap::new(),
            default_locale: "en".to_owned(),
        }
    }
}

impl Refusals {
    /// The text for `key` in the nearest locale to `locale`; never empty, the same for every cause
    /// of that kind.
    #[must_use]
    pub fn text(&self, key: RefusalKey, locale: &str) -> &str {
        let asked = locale.replace('_', "-").to_ascii_lowercase();
        [asked.as_str(), &self.default_locale]
            .into_iter()
            .flat_map(|locale| [locale, language(locale)])
            .find_map(|locale| self.own_text(key, locale).or_else(|| built_in(key, locale)))
            .unwrap_or_else(|| key.tone().english())
    }

    fn own_text(&self, key: RefusalKey, locale: &str) -> Option<&str> {
        Some(self.own.get(locale)?.get(&key)?.as_str())
    }
}

/// Whether `text` looks like a locale: a language of two or three letters, then subtags
/// (RFC 5646, section 2.1).
pub(crate) fn is_locale(text: &str) -> bool {
    let mut subtags = text.split('-');
    let language = subtags.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(|tag| {
            (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

fn language(locale: &str) -> &str {
    locale.split('-').next().unwrap_or(locale)
}

fn built_in(key: RefusalKey, locale: &str) -> Option<&'static str> {
    let (_, texts) = TEXTS.iter().find(|(language, _)| *language == locale)?;
    texts.get(key.tone() as usize).copied()
}

/// What a refusal says; several categories share a text, so that it does not tell which detector
/// looked.
#[derive(Clone, Copy)]
enum Tone {
    Declined,
    Sensitive,
    Unreadable,
    Withheld,
    Paused,
    Unavailable,
}

impl Tone {
    const fn english(self) -> &'static str {
        match self {
            Self::Declined => "I can't help with this request.",
            Self::Sensitive => "This contains personal or confidential data that I can't process.",
            Self::Unreadable => {
                "I can't process this message. Please send a shorter text in a supported format."
            }
            Self::Withheld => "I can't show this answer.",
            Self::Paused => "This conversation is paused. Please try again later.",
            Self::Unavailable => "I can't process this right now. Please try again later.",
        }
    }
}

/// In the order of [`Tone`].
const TEXTS: &[(&str, [&str; 6])] = &[
    (
        "en",
        [
            Tone::Declined.english(),
            Tone::Sensitive.english(),
            Tone::Unreadable.english(),
            Tone::Withheld.english(),
            Tone::Paused.english(),
            Tone::Unavailable.english(),
        ],
    ),
    (
        "de",
        [
            "Bei dieser Anfrage kann ich nicht helfen.",
            "Der Text enthält persönliche oder vertrauliche Daten, die ich nicht verarbeiten kann.",
            "Ich kann diese Nachricht nicht verarbeiten. Bitte sende einen kürzeren Text in einem unterstützten Format.",
            "Ich kann diese Antwort nicht anzeigen.",
            "Diese Unterhaltung ist unterbrochen. Bitte versuche es später noch einmal.",
            "Ich kann das gerade nicht verarbeiten. Bitte versuche es später noch einmal.",
        ],
    ),
    (
        "fr",
        [
            "Je ne peux pas répondre à cette demande.",
            "Ce texte contient des données personnelles ou confidentielles que je ne peux pas traiter.",
            "Je ne peux pas traiter ce message. Merci d'envoyer un texte plus court dans un format pris en charge.",
            "Je ne peux pas afficher cette réponse.",
            "Cette conversation est suspendue. Merci de réessayer plus tard.",
            "Je ne peux pas traiter cela pour le moment. Merci de réessayer plus tard.",
        ],
    ),
    (
        "es",
        [
            "No puedo ayudar con esta solicitud.",
            "El texto contiene datos personales o confidenciales que no puedo procesar.",
            "No puedo procesar este mensaje. Envía un texto más corto en un formato admitido.",
            "No puedo mostrar esta respuesta.",
            "Esta conversación está en pausa. Inténtalo de nuevo más tarde.",
            "No puedo procesar esto ahora. Inténtalo de nuevo más tarde.",
        ],
    ),
    (
        "it",
        [
            "Non posso aiutare con questa richiesta.",
            "Il testo contiene dati personali o riservati che non posso elaborare.",
            "Non posso elaborare questo messaggio. Invia un testo più breve in un formato supportato.",
            "Non posso mostrare questa risposta.",
            "Questa conversazione è in pausa. Riprova più tardi.",
            "Non posso elaborare la richiesta in questo momento. Riprova più tardi.",
        ],
    ),
    (
        "pt",
        [
            "Não posso ajudar com este pedido.",
            "O texto contém dados pessoais ou confidenciais que não posso processar.",
            "Não posso processar esta mensagem. Envie um texto mais curto num formato suportado.",
            "Não posso mostrar esta resposta.",
            "Esta conversa está em pausa. Tente novamente mais tarde.",
            "Não posso processar isto agora. Tente novamente mais tarde.",
        ],
    ),
    (
        "nl",
        [
            "Ik kan niet helpen met dit verzoek.",
            "De tekst bevat persoonlijke of vertrouwelijke gegevens die ik niet kan verwerken.",
            "Ik kan dit bericht niet verwerken. Stuur een kortere tekst in een ondersteund formaat.",
            "Ik kan dit antwoord niet tonen.",
            "Dit gesprek is gepauzeerd. Probeer het later opnieuw.",
            "Ik kan dit nu niet verwerken. Probeer het later opnieuw.",
        ],
    ),
    (
        "pl",
        [
            "Nie mogę pomóc w tej sprawie.",
            "Tekst zawiera dane osobowe lub poufne, których nie mogę przetworzyć.",
            "Nie mogę przetworzyć tej wiadomości. Wyślij krótszy tekst w obsługiwanym formacie.",
            "Nie mogę pokazać tej odpowiedzi.",
            "Ta rozmowa jest wstrzymana. Spróbuj ponownie później.",
            "Nie mogę teraz tego przetworzyć. Spróbuj ponownie później.",
        ],
    ),
    (
        "ja",
        [
            "このご依頼にはお応えできません。",
            "個人情報または機密情報が含まれているため、処理できません。",
            "このメッセージは処理できません。対応している形式の短いテキストを送ってください。",
            "この回答は表示できません。",
            "この会話は一時停止しています。しばらくしてからもう一度お試しください。",
            "現在処理できません。しばらくしてからもう一度お試しください。",
        ],
    ),
    (
        "zh",
        [
            "我无法协助处理此请求。",
            "内容包含我无法处理的个人或机密数据。",
            "我无法处理此消息。请以支持的格式发送较短的文本。",
            "我无法显示此回答。",
            "此对话已暂停。请稍后再试。",
            "我目前无法处理。请稍后再试。",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_a_text_in_every_locale_and_names_no_rule() {
        let refusals = Refusals::default();
        let keys = Category::ALL.into_iter().map(RefusalKey::Category);
        for key in keys.chain([RefusalKey::Incomplete]) {
            for (locale, _) in TEXTS {
                let text = refusals.text(key, locale);
                assert!(!text.is_empty());
                for word in ["inject", "jailbreak", "rule", "pattern", "policy"] {
                    assert!(!text.to_lowercase().contains(word), "{text}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_locale_wins() {
        let mut refusals = Refusals::default();
        let key = RefusalKey::Category(Category::Injection);
        assert_eq!(refusals.text(key, "de_AT"), refusals.text(key, "de"));
        assert_eq!(refusals.text(key, "xx"), refusals.text(key, "en"));
        refusals.default_locale = "fr".into();
        assert_eq!(refusals.text(key, "xx"), refusals.text(key, "fr"));
        let own = BTreeMap::from([(key, "Na.".to_owned())]);
        refusals.own.insert("de-at".into(), own);
        assert_eq!(refusals.text(key, "de-AT"), "Na.");
        assert_ne!(refusals.text(key, "de"), "Na.");
    }
}
