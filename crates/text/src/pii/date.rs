//! Dates: of birth where the words around say so, otherwise just dates.

use std::{collections::HashMap, sync::LazyLock};

use bartizan_core::Severity;

use super::recogniser::{Recogniser, by_grammar, rule};
use super::words::{at, last_char, next_char};

/// Dates of birth.
pub(super) static DATE_OF_BIRTH: Recogniser = Recogniser {
    rule: rule(
        "pii.date-of-birth",
        "date of birth",
        "DATE_OF_BIRTH",
        Severity::Medium,
    ),
    shapes: &[],
    check: by_grammar,
    plausible: 0.1,
    valid: 0.1,
    context: &[
        // en
        "born",
        "born on",
        "birth",
        "birthdate",
        "birth date",
        "date of birth",
        "dateofbirth",
        "birthday",
        "dob",
        "d.o.b.",
        "bday",
        // de, nl
        "geboren",
        "geboren am",
        "geburtsdatum",
        "geburtstag",
        "geb.",
        "geb. am",
        "geboortedatum",
        "geboren op",
        "verjaardag",
        // fr
        "ne le",
        "nee le",
        "ne(e) le",
        "né le",
        "née le",
        "né(e) le",
        "date de naissance",
        "naissance",
        "anniversaire",
        // es, pt, it, ro
        "nacido",
        "nacida",
        "nacio",
        "fecha de nacimiento",
        "nacimiento",
        "cumpleanos",
        "f. nac",
        "nascido",
        "nascida",
        "nasceu",
        "data de nascimento",
        "nascimento",
        "nato il",
        "nata il",
        "nato/a il",
        "nato a",
        "nata a",
        "data di nascita",
        "nascita",
        "compleanno",
        "nascut",
        "nascuta",
        "data nasterii",
        "nasterii",
        // pl, cs, hu, hr
        "urodzony",
        "urodzona",
        "urodzenia",
        "data urodzenia",
        "ur.",
        "urodzin",
        "narozen",
        "narozena",
        "datum narozeni",
        "narozeni",
        "nar.",
        "szuletett",
        "szuletesi datum",
        "szuletesi ido",
        "szul.",
        "szuletesnap",
        "rođen",
        "roden",
        "datum rodenja",
        // sv, no, da, fi
        "fodd",
        "född",
        "fodelsedatum",
        "födelsedatum",
        "fodselsdato",
        "fødselsdato",
        "født",
        "fodt",
        "fodselsdag",
        "fødselsdag",
        "syntynyt",
        "syntymaaika",
        "syntymäaika",
        "syntymapaiva",
        "synt.",
        "s.",
        // tr, el
        "dogum tarihi",
        "dogum",
        "dogumlu",
        "doğum tarihi",
        "doğum",
        "γεννηθηκε",
        "γεννημενος",
        "γεννημενη",
        "ημερομηνια γεννησης",
        "γεννησης",
        "γεννηθεις",
        // ru, uk, bg
        "родился",
        "родилась",
        "дата рождения",
        "рождения",
        "д.р.",
        "г.р.",
        "день рождения",
        "народився",
        "народилася",
        "дата народження",
        "народження",
        "роден",
        "родена",
        "дата на раждане",
        // ja, zh, ko
        "生年月日",
        "誕生日",
        "生まれ",
        "出生",
        "出生日期",
        "生日",
        "생년월일",
        "생일",
        "출생",
        "태어",
        // ar, he, hi, vi, id, th
        "تاريخ الميلاد",
        "مواليد",
        "ولد",
        "ولدت",
        "الميلاد",
        "תאריך לידה",
        "נולד",
        "נולדה",
        "לידה",
        "जन्म",
        "जन्म तिथि",
        "ngay sinh",
        "sinh ngay",
        "tanggal lahir",
        "lahir",
        "วันเกิด",
    ],
};

/// Any date; off unless asked for.
pub(super) static DATE_TIME: Recogniser = Recogniser {
    rule: rule("pii.date", "date", "DATE_TIME", Severity::Info),
    shapes: &[],
    check: by_grammar,
    plausible: 0.6,
    valid: 0.6,
    context: &[],
};

/// Month names, folded, longest prefix that tells them apart, in order of the months.
const MONTHS: [&[&str]; 12] = [
    &[
        "jan",
        "januar",
        "januari",
        "january",
        "janvier",
        "enero",
        "ene",
        "gennaio",
        "gen",
        "janeiro",
        "ianuarie",
        "stycznia",
        "styczen",
        "ledna",
        "leden",
        "januar",
        "tammikuuta",
        "tammikuu",
        "ocak",
        "ιανουαριου",
        "января",
        "янв",
        "січня",
        "януари",
        "يناير",
        "ינואר",
        "sijecnja",
        "janv",
    ],
    &[
        "feb",
        "februar",
        "februari",
        "february",
        "fevrier",
        "febrero",
        "febbraio",
        "fevereiro",
        "februarie",
        "lutego",
        "luty",
        "unora",
        "unor",
        "helmikuuta",
        "subat",
        "şubat",
        "φεβρουαριου",
        "февраля",
        "фев",
        "лютого",
        "февруари",
        "فبراير",
        "פברואר",
        "fev",
        "fevr",
        "veljace",
    ],
    &[
        "mar",
        "march",
        "marz",
        "maerz",
        "maart",
        "mars",
        "marzo",
        "marco",
        "martie",
        "marca",
        "marzec",
        "brezna",
        "brezen",
        "marcius",
        "maaliskuuta",
        "mart",
        "marts",
        "μαρτιου",
        "марта",
        "мар",
        "березня",
        "март",
        "مارس",
        "מרץ",
        "mrt",
        "ozujka",
    ],
    &[
        "apr",
        "april",
        "avril",
        "abril",
        "abr",
        "aprile",
        "aprilie",
        "kwietnia",
        "kwiecien",
        "dubna",
        "duben",
        "aprilis",
        "huhtikuuta",
        "nisan",
        "απριλιου",
        "апреля",
        "апр",
        "квітня",
        "април",
        "أبريل",
        "ابريل",
        "אפריל",
        "avr",
        "travnja",
    ],
    &[
        "may",
        "mai",
        "mei",
        "mayo",
        "maggio",
        "mag",
        "maio",
        "maja",
        "maj",
        "kvetna",
        "kveten",
        "majus",
        "toukokuuta",
        "mayis",
        "mayıs",
        "μαιου",
        "мая",
        "май",
        "травня",
        "مايو",
        "מאי",
        "svibnja",
    ],
    &[
        "jun",
        "june",
        "juni",
        "juin",
        "junio",
        "giugno",
        "giu",
        "junho",
        "iunie",
        "czerwca",
        "czerwiec",
        "cervna",
        "cerven",
        "junius",
        "kesakuuta",
        "haziran",
        "ιουνιου",
        "июня",
        "июн",
        "червня",
        "юни",
        "يونيو",
        "יוני",
        "lipnja",
    ],
    &[
        "jul",
        "july",
        "juli",
        "juillet",
        "julio",
        "luglio",
        "lug",
        "julho",
        "iulie",
        "lipca",
        "lipiec",
        "cervence",
        "cervenec",
        "julius",
        "heinakuuta",
        "temmuz",
        "ιουλιου",
        "июля",
        "июл",
        "липня",
        "юли",
        "يوليو",
        "יולי",
        "srpnja",
        "juil",
    ],
    &[
        "aug",
        "august",
        "augustus",
        "aout",
        "agosto",
        "ago",
        "augusti",
        "sierpnia",
        "sierpien",
        "srpna",
        "srpen",
        "augusztus",
        "elokuuta",
        "agustos",
        "ağustos",
        "αυγουστου",
        "августа",
        "авг",
        "серпня",
        "август",
        "أغسطس",
        "اغسطس",
        "אוגוסט",
        "kolovoza",
    ],
    &[
        "sep",
        "sept",
        "september",
        "septembre",
        "septiembre",
        "settembre",
        "set",
        "setembro",
        "septembrie",
        "wrzesnia",
        "wrzesien",
        "zari",
        "szeptember",
        "syyskuuta",
        "eylul",
        "σεπτεμβριου",
        "сентября",
        "сен",
        "вересня",
        "септември",
        "سبتمبر",
        "ספטמבר",
        "rujna",
    ],
    &[
        "oct",
        "okt",
        "october",
        "oktober",
        "octobre",
        "octubre",
        "ottobre",
        "ott",
        "outubro",
        "out",
        "octombrie",
        "pazdziernika",
        "pazdziernik",
        "rijna",
        "rijen",
        "lokakuuta",
        "ekim",
        "οκτωβριου",
        "октября",
        "окт",
        "жовтня",
        "октомври",
        "أكتوبر",
        "اكتوبر",
        "אוקטובר",
        "listopada",
    ],
    &[
        "nov",
        "november",
        "novembre",
        "noviembre",
        "novembro",
        "noiembrie",
        "listopada",
        "listopad",
        "listopadu",
        "marraskuuta",
        "kasim",
        "kasım",
        "νοεμβριου",
        "ноября",
        "ноя",
        "листопада",
        "ноември",
        "نوفمبر",
        "נובמבר",
        "studenoga",
    ],
    &[
        "dec",
        "dez",
        "december",
        "dezember",
        "decembre",
        "diciembre",
        "dic",
        "dicembre",
        "dezembro",
        "decembrie",
        "grudnia",
        "grudzien",
        "prosince",
        "prosinec",
        "joulukuuta",
        "aralik",
        "aralık",
        "δεκεμβριου",
        "декабря",
        "дек",
        "грудня",
        "декември",
        "ديسمبر",
        "דצמבר",
        "prosinca",
    ],
];

/// Years in which someone alive was born, and a little beyond.
const YEARS: std::ops::RangeInclusive<u32> = 1850..=2099;

/// The end of the time of day behind the date `yyyy-mm-dd` at `start`, with its fraction and zone
/// (RFC 3339 section 5.6; a blank may stand for the `T`).
pub(super) fn time_behind(text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let rest = rest.get(..48).unwrap_or(rest);
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    let [
        y,
        yy,
        yyy,
        yyyy,
        b'-',
        m,
        mm,
        b'-',
        d,
        dd,
        b'T' | b't' | b' ',
        h,
        hh,
        b':',
        i,
        ii,
        ..,
    ] = rest
    else {
        return None;
    };
    if !digits(&[*y, *yy, *yyy, *yyyy, *m, *mm, *d, *dd, *h, *hh, *i, *ii]) {
        return None;
    }
    let mut tail = rest.get(16..)?;
    if let [b':', s, ss, more @ ..] = tail
        && digits(&[*s, *ss])
    {
        tail = more;
        if let [b'.' | b',', first, ..] = tail
            && first.is_ascii_digit()
        {
            let fraction = tail.iter().skip(1).take_while(|byte| byte.is_ascii_digit());
            tail = tail.get(1 + fraction.count()..)?;
        }
    }
    tail = match tail {
        [b'Z' | b'z', more @ ..] => more,
        [b'+' | b'-', h, hh, b':', i, ii, more @ ..] if digits(&[*h, *hh, *i, *ii]) => more,
        [b'+' | b'-', h, hh, i, ii, more @ ..] if digits(&[*h, *hh, *i, *ii]) => more,
        other => other,
    };
    let ends = match tail {
        [b'-' | b'.' | b':' | b'/', next, ..] => !next.is_ascii_digit(),
        [next, ..] => !next.is_ascii_alphanumeric() && *next != b'_',
        [] => true,
    };
    ends.then_some(start + rest.len() - tail.len())
}

/// The date whose first digit is at `start`: its start (a month name may stand before) and its end.
pub(super) fn date(text: &[u8], start: usize) -> Option<(usize, usize)> {
    if let Some(end) = compact(text, start) {
        return Some((start, end));
    }
    let (first, end) = number(text, start)?;
    let width = end - start;
    let found = match width {
        4 if YEARS.contains(&first) => year_first(text, end),
        1 | 2 if (1..=31).contains(&first) => {
            numeric(text, first, end).or_else(|| day_month_year(text, end))
        }
        _ => None,
    };
    if let Some(end) = found.filter(|end| closes(text, *end)) {
        return Some((start, end));
    }
    if (1..=31).contains(&first) && width <= 2 {
        let from = month_before(text, start)?;
        let end = year_after(text, end)?;
        return closes(text, end).then_some((from, end));
    }
    None
}

/// `19900503` (ISO 8601, basic format).
fn compact(text: &[u8], start: usize) -> Option<usize> {
    let end = start + 8;
    let digits = text
        .get(start..end)
        .filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let value = digits
        .iter()
        .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    let fits = YEARS.contains(&(value / 10_000))
        && is_day(value % 100, value / 100 % 100)
        && closes(text, end);
    fits.then_some(end)
}

fn closes(text: &[u8], end: usize) -> bool {
    let next = at(text, end);
    let longer = next.is_ascii_digit()
        || (matches!(next, b'-' | b'/' | b'.' | b':') && at(text, end + 1).is_ascii_digit())
        || (next.is_ascii_alphabetic() && next != b'T');
    !longer
}

/// Up to four digits.
fn number(text: &[u8], start: usize) -> Option<(u32, usize)> {
    let mut end = start;
    let mut value = 0;
    while end - start < 5 && at(text, end).is_ascii_digit() {
        value = value * 10 + u32::from(at(text, end) - b'0');
        end += 1;
    }
    (1..=4).contains(&(end - start)).then_some((value, end))
}

/// `1990-05-03`, `1990/5/3`, `1990. 5. 3.`, `1990年5月3日`, `1990년 5월 3일`, `1990. majus 3.`
fn year_first(text: &[u8], end: usize) -> Option<usize> {
    if let Some(month_at) = sign(text, end, &["年", "년"]) {
        let (month, end) = number(text, month_at)?;
        let day_at = sign(text, end, &["月", "월"])?;
        let (day, end) = number(text, day_at)?;
        let end = sign(text, end, &["日", "일"])?;
        let end = if at(text, end - 1) == b' ' {
            end - 1
        } else {
            end
        };
        return is_day(day, month).then_some(end);
    }
    let separator = at(text, end);
    if !matches!(separator, b'-' | b'/' | b'.' | b' ') {
        return None;
    }
    let mut next = end + 1;
    if separator == b'.' && at(text, next) == b' ' {
        next += 1;
    }
    if !at(text, next).is_ascii_digit() {
        let (_, after) = month_at(text, next)?;
        let (day, end) = number(text, after + usize::from(at(text, after) == b' '))?;
        return (1..=31).contains(&day).then_some(end);
    }
    if separator == b' ' {
        return None;
    }
    let (month, end) = number(text, next)?;
    if at(text, end) != separator {
        return None;
    }
    let mut next = end + 1;
    if separator == b'.' && at(text, next) == b' ' {
        next += 1;
    }
    let (day, end) = number(text, next)?;
    (is_day(day, month) && end - next <= 2).then_some(end)
}

/// `03.05.1990`, `3/5/90`, `05-03-1990`, `3. 5. 1990`
fn numeric(text: &[u8], first: u32, end: usize) -> Option<usize> {
    let separator = at(text, end);
    if !matches!(separator, b'-' | b'/' | b'.' | b' ') {
        return None;
    }
    let blank = |next: usize| {
        if at(text, next) == b' ' && separator == b'.' {
            next + 1
        } else {
            next
        }
    };
    let (second, end) = number(text, blank(end + 1))?;
    if at(text, end) != separator {
        return None;
    }
    let next = blank(end + 1);
    let (year, end) = number(text, next)?;
    let whole = match end - next {
        4 => YEARS.contains(&year),
        2 => separator != b' ',
        _ => false,
    };
    (whole && (is_day(first, second) || is_day(second, first))).then_some(end)
}

const fn is_day(day: u32, month: u32) -> bool {
    matches!(month, 1..=12) && matches!(day, 1..=31)
}

/// `3 May 1990`, `3. Mai 1990`, `3rd of May, 1990`, `3 de mayo de 1990`, `3-May-1990`
fn day_month_year(text: &[u8], end: usize) -> Option<usize> {
    // Most numbers are followed by something else: that settles it.
    if !matches!(
        at(text, end),
        b' ' | b'.' | b'-' | b'/' | b',' | b's' | b'n' | b'r' | b't' | b'e' | 0x80..
    ) {
        return None;
    }
    let mut next = end;
    let lettered = at(text, end).is_ascii_alphabetic() || at(text, end) >= 0x80;
    for ordinal in ["st", "nd", "rd", "th", "er", "º", "ο", "η"] {
        if lettered
            && text
                .get(next..)
                .is_some_and(|rest| rest.starts_with(ordinal.as_bytes()))
        {
            next += ordinal.len();
            break;
        }
    }
    while next - end < 6 && matches!(at(text, next), b'.' | b' ' | b'-' | b'/' | b',') {
        next += 1;
    }
    if next == end || !(at(text, next).is_ascii_alphabetic() || at(text, next) >= 0x80) {
        return None;
    }
    for filler in ["of ", "de ", "d'", "ב"] {
        if text
            .get(next..)
            .is_some_and(|rest| rest.starts_with(filler.as_bytes()))
        {
            next += filler.len();
        }
    }
    let (_, after) = month_at(text, next)?;
    year_after(text, after)
}

/// The year behind a month or a day: `, 1990`, ` de 1990`, `-90`.
fn year_after(text: &[u8], end: usize) -> Option<usize> {
    if !matches!(
        at(text, end),
        b' ' | b'.' | b',' | b'-' | b'/' | b'0'..=b'9' | b'a'..=b'z'
    ) {
        return None;
    }
    let mut next = end;
    for ordinal in ["st", "nd", "rd", "th"] {
        if text
            .get(next..)
            .is_some_and(|rest| rest.starts_with(ordinal.as_bytes()))
        {
            next += 2;
        }
    }
    while next - end < 6 && matches!(at(text, next), b'.' | b' ' | b',' | b'-' | b'/') {
        next += 1;
    }
    for filler in ["de ", "del ", "of "] {
        if text
            .get(next..)
            .is_some_and(|rest| rest.starts_with(filler.as_bytes()))
        {
            next += filler.len();
        }
    }
    let (year, end) = number(text, next)?;
    (end - next == 4 && YEARS.contains(&year)).then_some(end)
}

/// The month name that ends before the blank before `start`.
fn month_before(text: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    while start - end < 3 && end > 0 && matches!(at(text, end - 1), b' ' | b'.' | b'-') {
        end -= 1;
    }
    let last = at(text, end.wrapping_sub(1));
    if end == start || !(last.is_ascii_alphabetic() || last >= 0x80) {
        return None;
    }
    let mut from = end;
    while end - from < 32
        && let Some(letter) = last_char(text, from).filter(|letter| letter.is_alphabetic())
    {
        from -= letter.len_utf8();
    }
    month_at(text, from)
        .filter(|(_, after)| *after == end)
        .map(|_| from)
}

/// The month whose name starts at `start`, and the end of the name.
fn month_at(text: &[u8], start: usize) -> Option<(u32, usize)> {
    let names = &*NAMES;
    if !names.may_start(at(text, start), at(text, start + 1)) {
        return None;
    }
    let mut end = start;
    while end - start < 32
        && let Some(letter) = next_char(text, end).filter(|letter| letter.is_alphabetic())
    {
        end += letter.len_utf8();
    }
    let word = text.get(start..end).filter(|word| word.len() >= 3)?;
    let mut lower = [0_u8; 40];
    let lower = lower.get_mut(..word.len())?;
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    names.months.get(&*lower).map(|month| (*month, end))
}

/// Every month name with the number of the month.
struct Names {
    months: HashMap<&'static [u8], u32>,
    /// One bit for each pair of first bytes, without ASCII case.
    starts: [u64; 16],
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let months: HashMap<&'static [u8], u32> = (1..)
        .zip(MONTHS)
        .flat_map(|(month, names)| names.iter().map(move |name| (name.as_bytes(), month)))
        .collect();
    let mut starts = [0; 16];
    for name in months.keys() {
        let (word, bit) = Names::slot(at(name, 0), at(name, 1));
        if let Some(word) = starts.get_mut(word) {
            *word |= 1 << bit;
        }
    }
    Names { months, starts }
});

impl Names {
    const fn slot(first: u8, second: u8) -> (usize, u32) {
        let pair = (first as usize & 31) << 5 | (second as usize & 31);
        (pair >> 6, pair as u32 & 63)
    }

    /// Whether a name may start with these bytes; other bytes may fall together.
    fn may_start(&self, first: u8, second: u8) -> bool {
        let (word, bit) = Self::slot(first, second);
        self.starts
            .get(word)
            .is_some_and(|bits| bits >> bit & 1 == 1)
    }
}

/// The place behind one of `signs` and a blank.
fn sign(text: &[u8], start: usize, signs: &[&str]) -> Option<usize> {
    let rest = text.get(start..)?;
    signs
        .iter()
        .find(|sign| rest.starts_with(sign.as_bytes()))
        .map(|sign| start + sign.len() + usize::from(rest.get(sign.len()) == Some(&b' ')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let digit = text.find(|letter: char| letter.is_ascii_digit()).unwrap();
        assert_eq!(
            date(text.as_bytes(), digit).map(|(start, end)| text.get(start..end).unwrap()),
            expected,
            "{text}"
        );
    }

    #[test]
    fn dates_in_the_forms_of_many_languages() {
        for text in [
            "1990-05-03",
            "03.05.1990",
            "3/5/90",
            "05/31/1990",
            "3 May 1990",
            "3. mai 1990",
            "3 de mayo de 1990",
            "May 3, 1990",
            "december 08, 1990",
            "1990年5月3日",
            "1990년 5월 3일",
            "3 марта 1990",
            "1. 2. 1990",
            "3rd of May, 1990",
            "1990. majus 3",
            "21-Nov-1980",
            "19900503",
        ] {
            check(text, Some(text));
        }
        check("born 1990-05-03T10:00", Some("1990-05-03"));
    }

    #[test]
    fn other_numbers() {
        for text in [
            "19901303",
            "1990-13-03",
            "3.14159",
            "12.5.1",
            "2024-08",
            "32.05.1990",
            "1.2.3.4",
            "99 bottles",
            "10 may be 1990",
        ] {
            check(text, None);
        }
    }
}
