//! Documents and things that lead to a person: passports, driving licences, number plates,
//! vehicles, phones, patients.

use bartizan_core::Severity;

use super::bank::luhn;
use super::recogniser::{Recogniser, Validity, rule};

/// Every kind of this file.
pub(super) static DOCUMENTS: [Recogniser; 9] = [
    Recogniser {
        rule: rule("pii.passport", "passport or identity card number", "PASSPORT", Severity::High),
        shapes: &[
            "XXXXXX", "XXXXXXX", "XXXXXXXX", "XXXXXXXXX", "AA 9999999", "A 9999999", "A 99999999", "99 99 999999",
            "99 9999999", "9999 999999", "AA-9999999", "A-9999999", "A-99999999", "AAA 999999", "AAA-999999",
            "99 AA 99999", "XXXXXXXXXX",
        ],
        check: passport,
        plausible: 0.1,
        valid: 0.1,
        context: &[
            "passport", "passports", "passport no", "passport number", "passportno", "passportnumber", "pass nr", "travel document",
            "identity card", "id card", "reisepass", "reisepassnummer", "personalausweis", "ausweis", "ausweisnummer", "passnummer", "passeport",
            "passeport no", "carte d'identite", "cni", "pasaporte", "passaporto", "passaporte", "carta d'identita", "paspoort",
            "paspoortnummer", "identiteitskaart", "paszport", "paszportu", "dowod osobisty", "pas", "cestovni pas",
            "cislo pasu", "obcansky prukaz", "utlevel", "utlevelszam", "pasaport", "pasaport no", "pasaportul", "pass",
            "passnr", "passi", "passin numero", "pasnummer", "паспорт", "паспорта", "паспорту", "загранпаспорт", "паспорт №", "διαβατηριο",
            "διαβατηριου", "パスポート", "旅券", "旅券番号", "护照", "护照号", "護照", "여권", "여권번호", "جواز", "جواز السفر",
            "דרכון", "putovnica", "potni list", "паспорт номер", "สหนังสือเดินทาง", "ho chieu", "paspor",
        ],
    },
    Recogniser {
        rule: rule("pii.driver-license", "driving licence number", "DRIVER_LICENSE", Severity::High),
        shapes: &[
            "XXXXXXX", "XXXXXXXX", "XXXXXXXXX", "XXXXXXXXXX", "XXXXXXXXXXX", "XXXXXXXXXXXX", "XXXXXXXXXXXXX",
            "XXXXXXXXXXXXXX", "XXXXXXXXXXXXXXXX", "XXXXXXXXXXXXXXXXXX", "A999-9999-9999", "A999-999-99-999-9", "A999-999-99-999",
            "A999 9999 9999", "AAAAA 999999 AA9AA", "AA-99-999-9999", "999 999 999", "99 999 999", "99-999-999",
            "A999-999-999-999", "A9999-99999-99999", "AA99 99999999999", "99 99 999999", "AA9999999A", "A99999999", "99-99-999999-99",
        ],
        check: licence,
        plausible: 0.1,
        valid: 0.1,
        context: &[
            "driver's license", "driver's licence", "drivers license", "drivers licence", "driver license", "driver licence",
            "driving license", "driving licence", "driving permit", "driver_license", "driver_licence", "driverlicense", "driverslicense", "drivers_license",
            "driver's license no", "dl no", "dl no.", "dl number", "dl#", "dl", "licence no", "license no", "license number", "licence number", "fuhrerschein",
            "fuehrerschein", "fuhrerscheinnummer", "permis de conduire", "permis", "carnet de conducir", "licencia de conducir",
            "permiso de conducir", "patente di guida", "patente", "carta de conducao", "cnh", "carteira de habilitacao", "rijbewijs",
            "rijbewijsnummer", "prawo jazdy", "prawa jazdy", "ridicsky prukaz", "jogositvany", "vezetoi engedely", "permis de conducere", "korkort",
            "forerkort", "førerkort", "kørekort", "korekort", "ajokortti", "surucu belgesi", "ehliyet", "ehliyet no", "водительское удостоверение", "права №",
            "водительские права", "посвідчення водія", "αδεια οδηγησης", "διπλωμα οδηγησης", "運転免許", "免許証", "驾照", "驾驶证", "운전면허", "رخصة القيادة",
            "رخصة قيادة", "רישיון נהיגה", "шофьорска книжка", "vozacka dozvola",
        ],
    },
    Recogniser {
        rule: rule("pii.license-plate", "number plate of a vehicle", "LICENSE_PLATE", Severity::Medium),
        shapes: PLATES,
        check: plate,
        plausible: 0.2,
        valid: 0.2,
        context: &[
            "plate", "plates", "license plate", "licence plate", "licenseplate", "number plate", "numberplate", "plate no", "plate number", "platenumber",
            "vehicle registration", "registration number", "registration plate", "reg", "reg.", "reg no", "rego", "vrm", "drives", "drove", "driving a",
            "car", "vehicle", "van", "truck", "parked", "parking", "kennzeichen", "nummernschild", "kfz", "kfz-kennzeichen", "autokennzeichen", "fahrzeug",
            "immatriculation", "immatricule", "plaque", "plaque d'immatriculation", "voiture", "vehicule", "matricula", "placa", "placas", "coche", "carro",
            "targa", "targato", "auto", "kenteken", "nummerplaat", "rejestracja", "numer rejestracyjny", "nr rejestracyjny", "tablica rejestracyjna", "tablice", "spz",
            "registracni znacka", "rendszam", "rendszamu", "numar de inmatriculare", "nr. inmatriculare", "inmatriculare", "registreringsnummer", "regnr", "reg.nr", "nummerplade",
            "bilskilt", "kjennemerke", "rekisterinumero", "rekisteritunnus", "plaka", "plakasi", "plakalı", "plakali", "номерной знак", "госномер", "гос. номер", "номер авто",
            "номер машины", "автомобиль", "держномер", "номерний знак", "πινακιδα", "πινακιδας", "αριθμος κυκλοφοριας", "ナンバープレート", "登録番号", "车牌", "车牌号",
            "번호판", "차량번호", "차량", "لوحة", "رقم اللوحة", "لوحة السيارة", "לוחית רישוי", "מספר רכב", "регистрационен номер",
        ],
    },
    Recogniser {
        rule: rule("pii.vehicle-identification-number", "vehicle identification number (VIN)", "VIN", Severity::Medium),
        shapes: &["XXXXXXXXXXXXXXXXX"],
        check: vin,
        plausible: 0.2,
        valid: 0.8,
        context: &[
            "vin", "vin no", "chassis", "chassis no", "chassis number", "frame number", "vehicle identification", "fahrgestellnummer", "fin",
            "fahrzeug-identifizierungsnummer", "numero de serie", "numero de chassis", "numero de bastidor", "bastidor", "telaio", "numero di telaio", "chassi",
            "chassisnummer", "numer vin", "nr vin", "alvazszam", "sasi", "şasi", "sasi no", "вин", "номер кузова", "шасси", "αριθμος πλαισιου", "車台番号", "车架号", "차대번호",
            "رقم الهيكل", "מספר שלדה", "stelnummer", "understellsnummer", "valmistenumero",
        ],
    },
    Recogniser {
        rule: rule("pii.imei", "device number of a mobile phone (IMEI)", "IMEI", Severity::Medium),
        shapes: &["999999999999999", "99-999999-999999-9", "99 999999 999999 9", "999999-99-999999-9"],
        check: |digits| Validity::strict(luhn(digits) && digits.iter().any(|digit| Some(digit) != digits.first())),
        plausible: 0.1,
        valid: 0.3,
        context: &["imei", "imei no", "imei number", "imeisv", "imei-nummer", "device id", "handset"],
    },
    Recogniser {
        rule: rule("pii.medical-record-number", "number of a patient or of a medical record", "MEDICAL_RECORD_NUMBER", Severity::High),
        shapes: &[
            "AAA9999999", "AAA999999", "AAA99999999", "AAA-9999999", "AAA-999999", "AAA 9999999", "AAA-99999999", "A-999999", "A-9999999", "A-99999999", "A999999", "A9999999",
            "A99999999", "AA999999", "AA-999999", "AA9999999", "99999", "999999", "9999999", "99999999", "999999999", "9999999999", "999-99-99", "99-99-99", "999-999-999", "9999-9999",
            "AAA99999", "AA99999", "A99999", "AAA-99999", "AA-99999",
        ],
        check: |value| Validity::weak(value.iter().any(u8::is_ascii_digit)),
        plausible: 0.1,
        valid: 0.1,
        context: &[
            "mrn", "medical record", "medical record number", "medical record no", "patient id", "patientid", "patient_id", "patient no", "patient number", "medical id", "medical_id",
            "medicalid", "medical no", "health record", "hospital number", "hospital no", "chart number", "patientennummer", "patienten-id", "numero de patient", "numero patient", "dossier medical",
            "historia clinica", "numero de paciente", "cartella clinica", "prontuario", "numero de utente", "patientnummer", "numer pacjenta", "rodne cislo pacienta", "potilasnumero",
            "hasta no", "номер пациента", "медицинская карта", "номер карты пациента", "カルテ番号", "患者番号", "患者id", "病历号", "환자번호", "رقم المريض", "מספר מטופל",
        ],
    },
    Recogniser {
        rule: rule("pii.us-npi", "national provider identifier (United States)", "US_NPI", Severity::Low),
        shapes: &["9999999999"],
        check: npi,
        plausible: 0.1,
        valid: 0.15,
        context: &["npi", "provider identifier", "national provider"],
    },
    Recogniser {
        rule: rule("pii.us-dea-number", "DEA number of a prescriber (United States)", "US_DEA_NUMBER", Severity::Medium),
        shapes: &["AA9999999", "A99999999"],
        check: dea,
        plausible: 0.1,
        valid: 0.4,
        context: &["dea", "dea no", "dea number", "prescriber"],
    },
    Recogniser {
        rule: rule("pii.us-mbi", "Medicare beneficiary identifier (United States)", "US_MBI", Severity::High),
        shapes: &["9AX9AX9AA99", "9AX9-AX9-AA99", "9AX9 AX9 AA99"],
        check: mbi,
        plausible: 0.4,
        valid: 0.4,
        context: &["medicare", "mbi", "beneficiary", "medicare number", "medicare id"],
    },
];

const PLATES: &[&str] = &[
    // Germany, Austria
    "A-A 9", "A-A 99", "A-A 999", "A-A 9999", "A-AA 9", "A-AA 99", "A-AA 999", "A-AA 9999", "AA-A 99", "AA-A 999",
    "AA-A 9999", "AA-AA 9", "AA-AA 99", "AA-AA 999", "AA-AA 9999", "AAA-A 99", "AAA-A 999", "AAA-A 9999", "AAA-AA 99", "AAA-AA 999",
    "A AA 999", "A AA 9999", "AA AA 999", "AA AA 9999", "A-99999A", "A-999AA", "AA-999AA", "A-AA-999", "A-AA-9999", "AA-AA-999", "AA-AA-9999",
    "A-AA999", "A-AA9999", "AA-AA999", "AA-AA9999",
    // France, Italy, Spain, Portugal
    "AA-999-AA", "AA 999 AA", "AA999AA", "AA999 AA", "999 AAA 99", "9999 AAA", "9999AAA", "9999-AAA", "A-9999-AA", "AA-99-AA", "99-AA-99", "99-99-AA", "AA-99-99",
    // United Kingdom, Ireland
    "AA99 AAA", "AA99AAA", "AA99-AAA", "A999 AAA", "A99 AAA", "AAA 999A", "999-A-9999", "999-AA-9999", "99-A-9999", "999 A 99999", "999-A-99999",
    // Benelux
    "9-AAA-999", "99-AAA-9", "9-AAA-99", "AA-999-A", "A-999-AA", "AAA-99-A", "99-AA-AA", "AA-AA-99", "9 AAA 999",
    // Nordic countries
    "AAA 999", "AAA999", "AAA-999", "AAA 99A", "AAA99A", "AA 99 999", "AA 99999", "AA99999", "AA-99999",
    // Poland, Czechia, Hungary, Romania
    "AAA 9999", "AA 9999A", "AAA 99AA", "AA 999AA", "9A9 9999", "9AA 9999", "9A99999", "AA AA-999", "AA-AA-999", "AAAA-999", "A 99 AAA", "AA 99 AAA", "A 999 AAA", "A-99-AAA", "AA-99-AAA",
    "A99AAA", "AA99AAA",
    // Turkey, Greece, Russia, Ukraine, Bulgaria
    "99 A 9999", "99 AA 999", "99 AA 9999", "99 AAA 99", "99 AAA 999", "99AAA99", "99AA999", "99AAA999", "AAA-9999", "A999AA99", "A999AA999", "A999AA", "A 999 AA 99", "AA9999AA", "AA 9999 AA", "AA 9999-AA", "A 9999 AA", "A9999AA",
    // Americas
    "AAA9999", "9AAA999", "AAA9A99", "AAA 9A99", "AA 999 AA", "999 AAA", "999AAA", "999-AAA", "9AA A99", "AAAA 999", "AAA-99-99", "AAA-999-A", "A99-AAA", "A99 AAA", "AAAA99", "AA AA 99", "AA-AA-99", "AAA 99 99", "999-AAAA", "999 AAAA", "AAA-A999",
    // Asia, Africa, Oceania
    "AA 99 AA 9999", "AA99AA9999", "AA-99-AA-9999", "AA 99 A 9999", "AA99A9999", "AAA 9999 A", "A 9999 AAA", "A 9999 AA", "AA 9999 A", "A99999", "AA99 AA 9999", "99-999-99", "999-99-999",
    "AA 99 AA AA", "AA99AAAA", "AAA 999 AA", "AA99AA AA", "AA 99 99 AA", "AA99AA99", "99A 9999", "999A 9999", "9AA 9AA", "9AA9AA", "9AA-9AA", "AAA-999 AA", "AA 999-999", "AA999-999", "AAA 999-999", "A 99999",
];

fn count(value: &[u8], test: fn(&u8) -> bool) -> usize {
    value.iter().filter(|byte| test(byte)).count()
}

fn passport(value: &[u8]) -> Validity {
    let digits = count(value, u8::is_ascii_digit);
    let uniform = value.iter().all(|byte| Some(byte) == value.first());
    Validity::weak(digits > 0 && !uniform)
}

fn licence(value: &[u8]) -> Validity {
    let digits = count(value, u8::is_ascii_digit);
    let uniform = value.iter().all(|byte| Some(byte) == value.first());
    Validity::weak(digits >= 3 && !uniform)
}

fn plate(value: &[u8]) -> Validity {
    Validity::weak(value.len() <= 10 && value.iter().any(u8::is_ascii_digit))
}

/// ISO 3779, with the check digit of North America (49 CFR 565.15) as the strong test.
fn vin(value: &[u8]) -> Validity {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let mut sum = 0;
    for (byte, weight) in value.iter().zip(WEIGHTS) {
        let worth = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'H' => byte - b'A' + 1,
            b'J'..=b'N' | b'P' | b'R' => byte - b'J' + 1,
            b'S'..=b'Z' => byte - b'S' + 2,
            _ => return Validity::Invalid,
        };
        sum += u32::from(worth) * weight;
    }
    let letters = count(value, u8::is_ascii_alphabetic);
    let serial = value.iter().rev().take(3).all(u8::is_ascii_digit);
    if !(3..=15).contains(&letters) || !serial {
        return Validity::Invalid;
    }
    let expected = match sum % 11 {
        10 => b'X',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    };
    if value.get(8) == Some(&expected) { Validity::Valid } else { Validity::Plausible }
}

/// Luhn over the number behind the prefix 80840 (CMS, "NPI check digit").
fn npi(digits: &[u8]) -> Validity {
    let whole: Vec<u8> = b"80840".iter().chain(digits).copied().collect();
    Validity::strict(matches!(digits.first(), Some(b'1' | b'2')) && luhn(&whole))
}

/// The last digit is that of `d1 + d3 + d5 + 2 (d2 + d4 + d6)` (21 CFR 1301).
fn dea(value: &[u8]) -> Validity {
    let Some((registrant, digits)) = value.split_at_checked(2) else {
        return Validity::Invalid;
    };
    let [a, b, c, d, e, f, check] = digits else {
        return Validity::Invalid;
    };
    let number = |digit: &u8| u32::from(digit.wrapping_sub(b'0'));
    let sum = number(a) + number(c) + number(e) + 2 * (number(b) + number(d) + number(f));
    let known = registrant.first().is_some_and(|letter| b"ABCDEFGHJKLMPRSTUX".contains(letter));
    Validity::strict(known && sum % 10 == number(check))
}

/// The letters S, L, O, I, B, and Z are not used (CMS, "Understanding the MBI format").
fn mbi(value: &[u8]) -> Validity {
    Validity::weak(
        value.first().is_some_and(|digit| *digit != b'0')
            && !value.iter().any(|byte| b"SLOIBZ".contains(byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert_eq!(vin(b"1M8GDM9AXKP042788"), Validity::Valid);
        assert_eq!(vin(b"1M8GDM9A1KP042788"), Validity::Plausible);
        assert_eq!(vin(b"1M8GDM9AIKP042788"), Validity::Invalid);
        assert_eq!(npi(b"1234567893"), Validity::Valid);
        assert_eq!(npi(b"1234567890"), Validity::Invalid);
        assert_eq!(dea(b"F91234563"), Validity::Valid);
        assert_eq!(dea(b"AB1234564"), Validity::Invalid);
        assert_eq!(mbi(b"1EG4TE5MK73"), Validity::Plausible);
        assert_eq!(mbi(b"1SG4TE5MK73"), Validity::Invalid);
    }
}
