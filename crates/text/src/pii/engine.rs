//! Everything that is built once: the table of recognisers, their shapes, their words.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, OnceLock},
};

use super::{
    bank,
    context::{Kinds, Lexicon},
    crypto, date, documents, email, keyed, national, net, phones,
    recogniser::Recogniser,
    shapes::Shapes,
};

/// Words after which a number is no personal data, folded, in many languages.
const AGAINST: &[&str] = &[
    "order",
    "order no",
    "order number",
    "order id",
    "orderid",
    "invoice",
    "invoice no",
    "invoice number",
    "version",
    "ver.",
    "release",
    "build",
    "upgrade to",
    "upgrade",
    "downgrade",
    "update from",
    "patch",
    "ticket",
    "case no",
    "case number",
    "tracking",
    "tracking number",
    "shipped",
    "shipment",
    "isbn",
    "issn",
    "sku",
    "model",
    "part no",
    "part number",
    "serial",
    "serial number",
    "commit",
    "sha256",
    "sha1",
    "md5",
    "checksum",
    "hash",
    "etag",
    "request id",
    "requestid",
    "trace id",
    "traceid",
    "transaction",
    "transaction id",
    "timestamp",
    "sequence",
    "total",
    "amount",
    "price",
    "cas number",
    "lottery",
    "flight",
    "article",
    "article no",
    "product",
    "product no",
    "product id",
    "po number",
    "purchase order",
    "reference",
    "ref no",
    "ref.",
    "error",
    "error code",
    "firmware",
    "kernel",
    "fails the checksum",
    "test card",
    "loopback",
    "netmask",
    "subnet mask",
    "uuid",
    "guid",
    "port",
    "doi",
    "rfc",
    "cve",
    "batch",
    "lot no",
    "meeting",
    "expires",
    "expiry",
    "expiration",
    "valid until",
    "due",
    "created",
    "created at",
    "updated at",
    "hearing",
    "model no",
    "chapter",
    "page",
    "latitude",
    "longitude",
    "coordinates",
    "item",
    "barcode",
    "ean",
    "upc",
    "gtin",
    "asin",
    "deployed",
    "installed",
    "rolled back to",
    "sdk",
    "driver version",
    "changelog",
    "release notes",
    "not an ssn",
    "not a phone",
    "dependency",
    "package",
    "library",
    "spec",
    "bestellung",
    "bestellnummer",
    "bestell-nr",
    "auftrag",
    "auftragsnummer",
    "rechnung",
    "rechnungsnummer",
    "aktenzeichen",
    "sendungsnummer",
    "artikelnummer",
    "betrag",
    "vorgangsnummer",
    "commande",
    "numero de commande",
    "facture",
    "suivi",
    "montant",
    "reference client",
    "colis",
    "pedido",
    "numero de pedido",
    "factura",
    "importe",
    "seguimiento",
    "fatura",
    "encomenda",
    "rastreio",
    "ordine",
    "numero ordine",
    "fattura",
    "spedizione",
    "importo",
    "bestelling",
    "bestelnummer",
    "factuur",
    "factuurnummer",
    "bedrag",
    "zendingsnummer",
    "zamowienie",
    "zamowienia",
    "numer zamowienia",
    "faktura",
    "faktury",
    "przesylka",
    "kwota",
    "objednavka",
    "objednavky",
    "zasilka",
    "castka",
    "rendeles",
    "rendelesszam",
    "szamla",
    "szamlaszama",
    "csomag",
    "comanda",
    "comenzii",
    "factura nr",
    "suma",
    "ordernummer",
    "ordrenummer",
    "bestallning",
    "fakturanummer",
    "tilaus",
    "tilausnumero",
    "lasku",
    "laskun numero",
    "siparis",
    "siparis no",
    "fatura no",
    "kargo",
    "заказ",
    "заказа",
    "номер заказа",
    "счет-фактура",
    "накладная",
    "версия",
    "сумма",
    "трек-номер",
    "замовлення",
    "рахунок-фактура",
    "поръчка",
    "фактура",
    "παραγγελια",
    "παραγγελιας",
    "τιμολογιο",
    "εκδοση",
    "注文番号",
    "注文",
    "請求書番号",
    "合計",
    "バージョン",
    "追跡番号",
    "订单号",
    "订单",
    "发票号",
    "版本",
    "金额",
    "快递单号",
    "주문번호",
    "주문",
    "송장번호",
    "버전",
    "رقم الطلب",
    "الطلب",
    "طلب",
    "فاتورة",
    "الإصدار",
    "הזמנה",
    "מספר הזמנה",
    "חשבונית",
    "גרסה",
];

/// Words for some national identifier, besides those of [`national::GENERIC_CONTEXT`].
const GENERIC: &[&str] = &[
    "my id",
    "my id is",
    "id (",
    "id is",
    "her id",
    "his id",
    "their id",
    "national id",
    "nationalid",
    "id document",
    "document id",
    "personal id no",
    "identity",
    "identification",
    "identification no",
    "ausweisnummer",
    "identifikationsnummer",
    "steuernummer",
    "numero d'identite",
    "numero de identidad",
    "numero de identificacion",
    "documento de identidad",
    "documento",
    "numero de documento",
    "codice personale",
    "identiteitsnummer",
    "numer identyfikacyjny",
    "identifikacni cislo",
    "azonosito",
    "azonosito szam",
    "numar de identificare",
    "personnummer",
    "personnr",
    "henkilotunnus",
    "kimlik",
    "kimlik no",
    "код",
    "идентификационный номер",
    "номер документа",
    "удостоверение личности",
    "идентификационен номер",
    "ідентифікаційний",
    "αριθμος ταυτοτητας",
    "ταυτοτητα",
    "身分証",
    "身份证",
    "身份证号",
    "신분증",
    "رقم الهوية",
    "הויה",
    "هوية",
    "תעודת זהות",
    "מספר זהות",
    "ת.ז.",
    "ת.ז",
];

/// The number that stands for every national identifier in the lexicon.
pub(super) const ANY_NATIONAL: u16 = (Kinds::CAPACITY - 1) as u16;

/// Numbers of the recognisers that the engine finds by a grammar of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    pub(super) email: u16,
    pub(super) ip: u16,
    pub(super) mac: u16,
    pub(super) url: u16,
    pub(super) iban: u16,
    pub(super) bic: u16,
    pub(super) wallet: u16,
    pub(super) ethereum: u16,
    pub(super) date_of_birth: u16,
    pub(super) date_time: u16,
    pub(super) username: u16,
    pub(super) phone: u16,
}

/// Recognisers with what finds their candidates.
#[derive(Debug)]
pub(super) struct Engine {
    recognisers: Vec<&'static Recogniser>,
    national: Kinds,
    pub(super) own: Own,
    /// Further context words by entity.
    context: BTreeMap<String, Vec<String>>,
    /// Built with the first number that is looked at: a text without any pays for neither.
    shapes: OnceLock<Shapes>,
    lexicon: OnceLock<Lexicon>,
}

/// The engine of every built-in recogniser, built once for the process.
pub(super) fn builtin() -> Arc<Engine> {
    static BUILTIN: LazyLock<Arc<Engine>> =
        LazyLock::new(|| Arc::new(Engine::new(&BTreeMap::new())));
    Arc::clone(&BUILTIN)
}

impl Engine {
    /// The built-in recognisers with further context words by entity.
    pub(super) fn new(context: &BTreeMap<String, Vec<String>>) -> Self {
        let mut recognisers: Vec<&'static Recogniser> = vec![
            &email::EMAIL,
            &net::IP,
            &net::MAC,
            &net::URL,
            &bank::IBAN,
            &bank::BIC,
            &crypto::WALLET,
            &date::DATE_OF_BIRTH,
            &date::DATE_TIME,
            &keyed::USERNAME,
            &phones::PHONE,
            &crypto::ETHEREUM,
        ];
        let own = Own {
            email: 0,
            ip: 1,
            mac: 2,
            url: 3,
            iban: 4,
            bic: 5,
            wallet: 6,
            date_of_birth: 7,
            date_time: 8,
            username: 9,
            phone: 10,
            ethereum: 11,
        };
        recognisers.extend([&bank::CARD, &bank::ABA, &bank::ACCOUNT]);
        recognisers.extend(&documents::DOCUMENTS);
        let first = number(recognisers.len());
        recognisers.extend(national::recognisers());
        let mut national = Kinds::default();
        (first..number(recognisers.len())).for_each(|kind| national.insert(kind));

        Self {
            recognisers,
            national,
            own,
            context: context.clone(),
            shapes: OnceLock::new(),
            lexicon: OnceLock::new(),
        }
    }

    /// The shapes of every recogniser.
    pub(super) fn shapes(&self) -> &Shapes {
        self.shapes.get_or_init(|| {
            let mut shapes = Vec::new();
            for (kind, recogniser) in (0..).zip(&self.recognisers) {
                shapes.extend(recogniser.shapes.iter().map(|shape| (*shape, kind)));
            }
            Shapes::new(&shapes)
        })
    }

    /// The context words of every recogniser.
    pub(super) fn lexicon(&self) -> &Lexicon {
        self.lexicon.get_or_init(|| {
            let mut words: Vec<(&str, Option<u16>)> = Vec::new();
            for (kind, recogniser) in (0..).zip(&self.recognisers) {
                words.extend(recogniser.context.iter().map(|word| (*word, Some(kind))));
                let entity = recogniser.rule.entity.as_deref().unwrap_or_default();
                let further = self.context.get(entity).into_iter().flatten();
                words.extend(further.map(|word| (word.as_str(), Some(kind))));
            }
            let any = GENERIC.iter().chain(national::GENERIC_CONTEXT);
            words.extend(any.map(|word| (*word, Some(ANY_NATIONAL))));
            words.extend(AGAINST.iter().map(|word| (*word, None)));
            Lexicon::new(words)
        })
    }

    pub(super) fn recognisers(&self) -> &[&'static Recogniser] {
        &self.recognisers
    }

    pub(super) fn recogniser(&self, kind: u16) -> Option<&'static Recogniser> {
        self.recognisers.get(usize::from(kind)).copied()
    }

    pub(super) fn is_national(&self, kind: u16) -> bool {
        self.national.contains(kind)
    }

    /// Every national identifier.
    pub(super) const fn national(&self) -> &Kinds {
        &self.national
    }
}

fn number(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
