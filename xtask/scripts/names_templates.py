"""Own sentence templates for `generate_names.py`.

Slots: {P} full name, {S} full or first name, {F} first name, {N} last name, {A} address, {L} place,
{O} organisation; {email}, {phone}, {date}, {id}, {amount}, {iban}, {word} ... are fillers.
Per language: `person`, `address` and `place` are (before, after) lists that are combined freely,
`whole` are complete sentences, `plain` hold no entity.
"""

LANGUAGES = {
    "en": {
        "person": (
            ["I am ", "I'm ", "This is ", "My name's ", "Hi ", "Hello ", "Hey ", "Dear ", "Dear Mr. ", "Dear Mrs ", "Please contact ", "Ask ", "I spoke to ", "I spoke with Dr. ", "Please tell Ms. ",
             "The patient, ", "The claimant ", "Our customer ", "My wife ", "my boss ", "her husband ", "my neighbour ", "my daughter ", "Account holder: ", "Beneficiary: ", "signed by ", "Kind regards,\n",
             "Best,\n", "Thanks,\n", "Yours sincerely\n", "Can you call ", "Could you email ", "According to ", "The report by ", "Professor ", "Dr ", "Mr ", "Mrs. ", "Captain ", "Sir ", "Officer ", "An email from ",
             "We met ", "Yesterday ", "Last week ", "Did ", "When is ", "Who is ", "Where does ", "Why did ", "", "", "", "", "\"", "As ", "After ", "Since ", "But ", "And ", "Then ", "Meanwhile, ", "so ", "because ",
             "the actor ", "the singer ", "songs by ", "a film with ", "author ", "President ", "Senator ", "CEO ", "and ", "with ", "for ", "to ", "from ", "about ", "Employee ", "Invite ", "Schedule a call with ",
             "Write a letter to ", "Translate this message from ", "What do you know about ", "Summarise the complaint of ", "Remind ", "Tell ", "Forward this to ", "Insured person: ", "Tenant: ", "passenger "],
            [" and I need help with my order.", ".", ", can you help me?", " speaking.", ", date of birth {date}.", ", {phone}.", " ({email}).", " <{email}>", " is waiting for a refund of {amount}.", " said that the invoice {id} was paid.",
             " will join us on Monday.", " at {email} before {date}.", " lives next door.", " has been admitted on {date}.", "'s account was closed.", "'s phone number is {phone}.", " called about ticket {id}.", " wants to know more.",
             ", our manager, agreed.", ",", "!", "?", " from Accounting asked for the file.", " works at {O}.", " from {O} will call you.", " moved to {L} in March.", " was born in {L}.", " lives in {L}.", " and {P} are married.", " and {S}.",
             ", {S} and {S} went to the cinema.", " replied: \"I don't know\".", "\n", "\n{phone}\n{email}", " bought 12 apples.", " has 5 marbles and gives {F} 3.", " won the race.", " wrote this song.", " thinks it's fine.", " (ID {id})",
             " transferred {amount} to {iban}.", " signed the contract with {O}.", " didn't come to the meeting.", " to the list", " live now?", " still at {A}?"],
        ),
        "address": (
            ["I live at ", "My address is ", "Send it to ", "Ship to: ", "Deliver the parcel to ", "Our new office is at ", "He moved from ", "Billing address: ", "The property at ", "Come to ", "Home address - ", "Visit us at ", "Address:\n",
             "located at ", "Pick me up at ", "She was last seen near ", "residing at ", "The package went to ", "Drive to ", "Is the shop at ", "We are based at "],
            [".", ", thanks.", "\n", " by {date}.", " and call {phone}.", "?", " instead of the old one.", " (ring twice).", " since {date}.", " for {P}.", "; phone {phone}.", " before noon.", "!"],
        ),
        "place": (
            ["I live in ", "We flew to ", "The weather in ", "She moved to ", "flights from ", "Born in ", "He comes from ", "How far is ", "our office in ", "the city of ", "Welcome to ", "The capital is ", "people in ", "Made in ", "Trains to ",
             "I'm in ", "near ", "the mayor of ", "hotels in ", "north of ", "the University of ", "across ", "Book a table in ", "restaurants near "],
            [".", " is nice.", " tomorrow?", " last year.", " and {L}.", ", where it rains.", " on {date}.", " with {S}.", "?", ", {L}.", " by train.", " for two nights.", " from {L}.", "!"],
        ),
        "whole": [
            "{P} <{email}>", "{P}, {A}", "{P}\n{A}", "{O}, {A}", "Name: {P}\nAddress: {A}\nPhone: {phone}", "{P} and {P} founded {O} in {L}.", "The contract between {O} and {P} ends on {date}.", "Please ship order {id} to {P}, {A}.",
            "Mr. {N} will see you now, Mrs. {N}.", "Dr. {N} is on leave.", "{F} told {F} that {F} was late.", "{F}'s mother gave {F} {amount}.", "Dear {F},\n\nThank you for your letter of {date}.\n\nRegards,\n{P}", "{O} hired {P} as CFO.",
            "Shares of {O} rose.", "{O} opened a branch in {L}.", "I bought it from {O} in {L}.", "{P} ({date}, {L}) was a painter.", "In {L}, {P} met {P}.", "Witness {P} of {A} states:", "Tell {F} to bring {F}.", "@{user} hi {F}, see you in {L}",
            "Patient: {P}, DOB {date}. Referred by Dr. {P}.", "Landlord {P} rents {A} to {P}.", "card holder {P}, card ends 4412", "Q: Who wrote it? A: {P}.", "1. {P}\n2. {P}\n3. {P}", "* {P} ({O})\n* {P} ({O})", "Return to sender: {P}, {A}",
            "{P} vs. {P}", "starring {P} and {P}", "(photo: {P})", "by {P}, {date}", "By {P} in {L}", "IBAN {iban} ({P})", "passport of {P} issued {date}", "Hi, it's {F}. Is {F} there?", "The driver {P} parked at {A} at 14:05.",
            "Order {id}: {P}, {phone}, {A}", "Meeting with {P} @ {O}, {date}", "Ms {N} and Mr {N} agreed.", "Sincerely,\n{P}\n{O}\n{A}",
        ],
        "plain": [
            "Could you reset my password?", "The Red Cross opened on Monday.", "I use Microsoft Word and Google Chrome on Windows.", "Please send the invoice {id} in March.", "Merry Christmas and Happy New Year!", "What is the English word for it?",
            "Terms and Conditions apply. See Section 4.", "Order {id} was shipped on {date}.", "Total Amount Due: {amount}", "Click Settings, then Privacy and Security.", "The HTTP Server returned Internal Server Error.", "I want a French dictionary.",
            "My Visa card was declined.", "Invalid account {iban} was rejected by the validator.", "TODO: Fix the Build Pipeline", "Thank You for Shopping with Us", "Let's Encrypt issued the certificate.", "On Friday the Board of Directors met.",
            "WARNING: Disk Usage is High", "class UserAccount extends BaseModel", "Chapter One: The Beginning", "Credit Card Number: redacted", "First Name and Last Name are required.", "Ask the Customer Support Team.", "Can you book a Table for Two?",
            "Star Wars is a great film.", "The Great Gatsby is a novel.", "Python, Java and Rust are languages.", "Follow the White Rabbit.", "Good Morning! How are you?", "Yes. No. Maybe. Sure.", "Error Code 500 at Line 12", "Read The Fine Manual.",
            "Part Two of Exhibit B", "Support Ticket {id} is Closed", "Happy Birthday!", "Dear Sir or Madam,", "Dear Customer,", "Hello World", "Hi there", "Kind Regards", "Machine Learning and Deep Learning", "Human Resources Department", "Black Friday Sale",
            "I met them at Central Station on Sunday.", "The Supreme Court ruled in June.", "United Nations Security Council", "Big Data is Here", "Flight LH2044 leaves at 07:45 from Gate B12.", "Room 4.12, Floor 3, Building C.", "Act as a Senior Developer.",
        ],
    },
    "de": {
        "person": (["Ich bin ", "Ich heiße ", "Guten Tag, hier ist ", "Sehr geehrter Herr ", "Sehr geehrte Frau ", "Liebe ", "Lieber ", "Unser Kunde ", "Bitte rufen Sie ", "Der Kontoinhaber ", "Kontoinhaber: ", "Mit freundlichen Grüßen\n", "Viele Grüße\n", "Meine Frau ", "Mein Kollege ", "Die Patientin ", "Herr ", "Frau Dr. ", "Ansprechpartner: ", "laut ", "mit ", "Versicherter: ", "", "An ", "Vertrag mit "],
                   [", und ich habe eine Frage.", ".", ", geboren am {date}.", " hat am {date} angerufen.", " wohnt in {L}.", " unter {phone} an.", " ({email})", ",", " und {P} sind verheiratet.", " arbeitet bei {O}.", " möchte kündigen.", "\n{phone}", " sagte nichts.", "?", ", {A}"]),
        "address": (["Ich wohne in der ", "Meine Adresse lautet ", "Bitte senden Sie das Paket an ", "Anschrift: ", "Rechnungsadresse: ", "Unser Büro: ", "wohnhaft ", "Treffpunkt ", "Adresse:\n"], [".", ", danke.", " bis {date}.", "\n", " und rufen Sie {phone} an.", "?"]),
        "place": (["Ich wohne in ", "Wir fahren nach ", "Das Wetter in ", "geboren in ", "Züge ab ", "aus ", "bei "], [".", " und {L}.", " ist schön.", " am {date}.", "?"]),
        "whole": ["{P}, {A}", "{P}\n{A}", "Name: {P}, Telefon: {phone}", "Herr {N} und Frau {N} sind da.", "{O} hat {P} eingestellt.", "{F} und {F} kommen aus {L}."],
        "plain": ["Bitte senden Sie mir die Rechnung {id}.", "Die Bundesregierung hat am Montag ein neues Gesetz beschlossen.", "Der Vertrag endet am {date}.", "Guten Morgen! Wie geht es Ihnen?", "Das Passwort für mein Konto funktioniert nicht.", "Ich habe eine Frage zur Bestellung {id}.", "Im Januar steigen die Preise für Strom und Gas.", "Sehr geehrte Damen und Herren,", "Die Katze sitzt auf dem Dach des Hauses.", "Zahlung per Lastschrift oder Kreditkarte", "Allgemeine Geschäftsbedingungen", "Das Internet ist langsam, der Router blinkt Rot."],
    },
    "fr": {
        "person": (["Je suis ", "Bonjour, c'est ", "Bonjour ", "Cher ", "Chère ", "Madame ", "Monsieur ", "M. ", "Mme ", "Notre client ", "Titulaire : ", "Cordialement,\n", "Veuillez contacter ", "Ma femme ", "mon voisin ", "selon ", "avec ", "Dr ", "Assuré : ", "", "Le patient ", "De : ", "Bénéficiaire : "],
                   [".", ", né le {date}.", " a appelé le {date}.", " habite à {L}.", " au {phone}.", " ({email})", ",", " et {P} sont mariés.", " travaille chez {O}.", " souhaite résilier.", "\n{phone}", " ?", ", {A}"]),
        "address": (["J'habite au ", "Mon adresse est ", "Envoyez le colis au ", "Adresse : ", "Adresse de facturation : ", "Notre bureau : ", "domicilié ", "Livrez à "], [".", ", merci.", " avant le {date}.", "\n", " ?"]),
        "place": (["J'habite à ", "Nous allons à ", "né à ", "la ville de ", "Le temps à "], [".", " et {L}.", " est beau.", " le {date}."]),
        "whole": ["{P}, {A}", "Nom : {P}\nAdresse : {A}", "{O} a embauché {P}.", "{F} et {F} viennent de {L}.", "Mme {N} et M. {N} sont venus."],
        "plain": ["Pouvez-vous réinitialiser mon mot de passe ?", "La commande {id} a été expédiée le {date}.", "Bonne journée !", "Conditions générales de vente", "Les prix augmentent en Janvier.", "Madame, Monsieur,", "Le Conseil d'État a rendu sa décision.", "Quel est le montant de la facture ?", "Carte bancaire refusée. Réessayez plus tard.", "Merci beaucoup pour votre aide."],
    },
    "es": {
        "person": (["Soy ", "Hola, soy ", "Hola ", "Estimado ", "Estimada señora ", "Sr. ", "Sra. ", "Don ", "Doña ", "Nuestro cliente ", "Nombre: ", "Saludos,\n", "Atentamente,\n", "Póngase en contacto con ", "Mi esposa ", "mi vecino ", "según ", "con ", "El paciente ", "Dr. ", "", "Beneficiario: ", "Llame a "],
                   [".", ", nacido el {date}.", " llamó el {date}.", " vive en {L}.", " al {phone}.", " ({email})", ",", " y {P} están casados.", " trabaja en {O}.", " quiere cancelar.", "\n{phone}", "?", ", {A}"]),
        "address": (["Vivo en ", "Mi dirección es ", "Envíe el paquete a ", "Dirección: ", "Domicilio: ", "Nuestra oficina: ", "con domicilio en ", "Entregar en "], [".", ", gracias.", " antes del {date}.", "\n", "?"]),
        "place": (["Vivo en ", "Vamos a ", "nacida en ", "la ciudad de ", "El tiempo en "], [".", " y {L}.", " es bonito.", " el {date}."]),
        "whole": ["{P}, {A}", "Nombre: {P}\nDirección: {A}", "{O} contrató a {P}.", "{F} y {F} son de {L}.", "La Sra. {N} y el Sr. {N} llegaron."],
        "plain": ["¿Puede restablecer mi contraseña?", "El pedido {id} se envió el {date}.", "Buenos días, ¿cómo está?", "Términos y Condiciones", "El Gobierno aprobó la ley en Marzo.", "Muchas gracias por su ayuda.", "¿Cuál es el importe de la factura?", "Estimado cliente:", "Tarjeta rechazada. Inténtelo más tarde.", "La Unión Europea celebra una cumbre."],
    },
    "it": {
        "person": (["Sono ", "Buongiorno, sono ", "Ciao ", "Gentile ", "Egregio ", "Sig. ", "Sig.ra ", "Dott. ", "Il cliente ", "Intestatario: ", "Cordiali saluti,\n", "Contattare ", "Mia moglie ", "il mio vicino ", "secondo ", "con ", "Il paziente ", "", "Beneficiario: ", "Nome: ", "Chiamate "],
                   [".", ", nato il {date}.", " ha chiamato il {date}.", " vive a {L}.", " al {phone}.", " ({email})", ",", " e {P} sono sposati.", " lavora per {O}.", " vuole disdire.", "\n{phone}", "?", ", {A}"]),
        "address": (["Abito in ", "Il mio indirizzo è ", "Spedite il pacco a ", "Indirizzo: ", "Consegnare in ", "Il nostro ufficio: ", "domiciliato in "], [".", ", grazie.", " entro il {date}.", "\n", "?"]),
        "place": (["Vivo a ", "Andiamo a ", "nato a ", "la città di ", "Il tempo a "], [".", " e {L}.", " è bello.", " il {date}."]),
        "whole": ["{P}, {A}", "Nome: {P}\nIndirizzo: {A}", "{O} ha assunto {P}.", "{F} e {F} vengono da {L}."],
        "plain": ["Può reimpostare la mia password?", "L'ordine {id} è stato spedito il {date}.", "Buona giornata!", "Termini e Condizioni", "Il Governo ha approvato la legge.", "Grazie mille per l'aiuto.", "Qual è l'importo della fattura?", "Gentile cliente,", "Carta rifiutata. Riprovare più tardi."],
    },
    "pt": {
        "person": (["Sou ", "Olá, sou o ", "Olá ", "Chamo-me ", "Caro ", "Prezada ", "Sr. ", "Sra. ", "Dra. ", "O cliente ", "Titular: ", "Atenciosamente,\n", "Contacte ", "Minha esposa ", "o meu vizinho ", "segundo ", "com ", "O paciente ", "", "Beneficiário: ", "Nome: ", "Ligue para "],
                   [".", ", nascido em {date}.", " ligou em {date}.", " mora em {L}.", " pelo {phone}.", " ({email})", ",", " e {P} são casados.", " trabalha na {O}.", " quer cancelar.", "\n{phone}", "?", ", {A}"]),
        "address": (["Moro na ", "Meu endereço é ", "Envie o pacote para ", "Endereço: ", "Morada: ", "Nosso escritório: ", "residente em ", "Entregar em "], [".", ", obrigado.", " até {date}.", "\n", "?"]),
        "place": (["Moro em ", "Vamos para ", "nascida em ", "a cidade de ", "O tempo em "], [".", " e {L}.", " é bonito.", " em {date}."]),
        "whole": ["{P}, {A}", "Nome: {P}\nEndereço: {A}", "{O} contratou {P}.", "{F} e {F} são de {L}."],
        "plain": ["Pode redefinir a minha senha?", "O pedido {id} foi enviado em {date}.", "Bom dia, tudo bem?", "Termos e Condições", "O Governo aprovou a lei em Março.", "Muito obrigado pela ajuda.", "Qual é o valor da fatura?", "Prezado cliente,", "Cartão recusado. Tente mais tarde."],
    },
    "nl": {
        "person": (["Ik heet ", "Mijn naam is ", "Hallo, met ", "Beste ", "Geachte heer ", "Geachte mevrouw ", "Dhr. ", "Mevr. ", "Onze klant ", "Rekeninghouder: ", "Met vriendelijke groet,\n", "Groeten,\n", "Neem contact op met ", "Mijn vrouw ", "mijn buurman ", "volgens ", "met ", "De patiënt ", "", "Begunstigde: ", "Naam: ", "Bel "],
                   [".", ", geboren op {date}.", " heeft op {date} gebeld.", " woont in {L}.", " op {phone}.", " ({email})", ",", " en {P} zijn getrouwd.", " werkt bij {O}.", " wil opzeggen.", "\n{phone}", "?", ", {A}"]),
        "address": (["Ik woon op ", "Mijn adres is ", "Stuur het pakket naar ", "Adres: ", "Factuuradres: ", "Ons kantoor: ", "woonachtig te ", "Lever af op "], [".", ", bedankt.", " voor {date}.", "\n", "?"]),
        "place": (["Ik woon in ", "We gaan naar ", "geboren in ", "de stad ", "Het weer in "], [".", " en {L}.", " is mooi.", " op {date}."]),
        "whole": ["{P}, {A}", "Naam: {P}\nAdres: {A}", "{O} nam {P} aan.", "{F} en {F} komen uit {L}."],
        "plain": ["Kunt u mijn wachtwoord opnieuw instellen?", "Bestelling {id} is verzonden op {date}.", "Goedemorgen, hoe gaat het?", "Algemene Voorwaarden", "De Tweede Kamer stemde op Dinsdag.", "Hartelijk dank voor uw hulp.", "Wat is het bedrag van de factuur?", "Geachte klant,", "Kaart geweigerd. Probeer later opnieuw."],
    },
    "pl": {
        "person": (["Jestem ", "Dzień dobry, tu ", "Szanowny Panie ", "Szanowna Pani ", "Pan ", "Pani ", "Nasz klient ", "Posiadacz rachunku: ", "Z poważaniem,\n", "Pozdrawiam,\n", "Proszę o kontakt: ", "Moja żona ", "sąsiad ", "dr ", "Pacjent ", "", "Odbiorca: ", "Imię i nazwisko: ", "oraz "],
                   [".", ", ur. {date}.", " dzwonił dnia {date}.", " mieszka w {L}.", ", tel. {phone}.", " ({email})", ",", " i {P} są małżeństwem.", " pracuje w {O}.", " chce zrezygnować.", "\n{phone}", "?", ", {A}"]),
        "address": (["Mieszkam przy ", "Mój adres to ", "Proszę wysłać paczkę na adres ", "Adres zamieszkania: ", "Nasze biuro: ", "zamieszkały: ", "Dostawa: "], [".", ", dziękuję.", " do {date}.", "\n", "?"]),
        "place": (["Mieszkam w mieście ", "Jedziemy do ", "miasto ", "Pogoda: "], [".", " i {L}.", " {date}."]),
        "whole": ["{P}, {A}", "Nazwisko: {P}\nAdres: {A}", "{O} zatrudnia: {P}.", "{F} i {F}, {L}."],
        "plain": ["Czy mogą Państwo zresetować moje hasło?", "Zamówienie {id} wysłano {date}.", "Dzień dobry, jak się masz?", "Warunki Umowy", "Sejm przyjął ustawę.", "Bardzo dziękuję za pomoc.", "Jaka jest kwota faktury?", "Szanowni Państwo,", "Karta odrzucona. Proszę spróbować później."],
    },
    "cs": {
        "person": (["Jsem ", "Dobrý den, tady ", "Vážený pane ", "Vážená paní ", "Pan ", "Paní ", "Náš zákazník ", "Majitel účtu: ", "S pozdravem\n", "Kontaktujte prosím ", "Moje žena ", "soused ", "MUDr. ", "Pacient ", "", "Příjemce: ", "Jméno: ", "a "],
                   [".", ", narozen {date}.", " volal {date}.", " bydlí ve městě {L}.", ", tel. {phone}.", " ({email})", ",", " a {P} jsou manželé.", " pracuje v {O}.", " chce zrušit smlouvu.", "\n{phone}", "?", ", {A}"]),
        "address": (["Bydlím na adrese ", "Moje adresa je ", "Pošlete balík na ", "Adresa: ", "Bydliště: ", "Naše kancelář: ", "Doručit: "], [".", ", děkuji.", " do {date}.", "\n", "?"]),
        "place": (["Bydlím ve městě ", "Jedeme do ", "město ", "Počasí: "], [".", " a {L}.", " {date}."]),
        "whole": ["{P}, {A}", "Jméno: {P}\nAdresa: {A}", "{O} zaměstnává: {P}.", "{F} a {F}, {L}."],
        "plain": ["Můžete mi obnovit heslo?", "Objednávka {id} byla odeslána {date}.", "Dobrý den, jak se máte?", "Obchodní Podmínky", "Vláda schválila zákon.", "Děkuji moc za pomoc.", "Jaká je částka na faktuře?", "Vážený zákazníku,", "Karta byla zamítnuta. Zkuste to později."],
    },
    "da": {
        "person": (["Jeg er ", "Mit navn er ", "Hej, det er ", "Hej ", "Kære ", "Hr. ", "Fru ", "Vores kunde ", "Kontohaver: ", "Med venlig hilsen\n", "Kontakt venligst ", "Min kone ", "min nabo ", "ifølge ", "Patienten ", "", "Modtager: ", "Navn: ", "og "],
                   [".", ", født {date}.", " ringede {date}.", " bor i {L}.", " på {phone}.", " ({email})", ",", " og {P} er gift.", " arbejder hos {O}.", " vil opsige aftalen.", "\n{phone}", "?", ", {A}"]),
        "address": (["Jeg bor på ", "Min adresse er ", "Send pakken til ", "Adresse: ", "Bopæl: ", "Vores kontor: ", "Leveres til "], [".", ", tak.", " inden {date}.", "\n", "?"]),
        "place": (["Jeg bor i ", "Vi rejser til ", "født i ", "byen ", "Vejret i "], [".", " og {L}.", " {date}."]),
        "whole": ["{P}, {A}", "Navn: {P}\nAdresse: {A}", "{O} ansatte {P}.", "{F} og {F} er fra {L}."],
        "plain": ["Kan I nulstille min adgangskode?", "Ordre {id} blev afsendt {date}.", "Godmorgen, hvordan går det?", "Vilkår og Betingelser", "Folketinget vedtog loven.", "Mange tak for hjælpen.", "Hvad er beløbet på fakturaen?", "Kære kunde,", "Kortet blev afvist. Prøv igen senere."],
    },
    "sv": {
        "person": (["Jag är ", "Mitt namn är ", "Hej, det är ", "Hej ", "Kära ", "Bäste ", "Herr ", "Fru ", "Vår kund ", "Kontoinnehavare: ", "Med vänliga hälsningar\n", "Kontakta ", "Min fru ", "min granne ", "enligt ", "Patienten ", "", "Mottagare: ", "Namn: ", "och "],
                   [".", ", född {date}.", " ringde {date}.", " bor i {L}.", " på {phone}.", " ({email})", ",", " och {P} är gifta.", " arbetar på {O}.", " vill säga upp avtalet.", "\n{phone}", "?", ", {A}"]),
        "address": (["Jag bor på ", "Min adress är ", "Skicka paketet till ", "Adress: ", "Bostad: ", "Vårt kontor: ", "Levereras till "], [".", ", tack.", " före {date}.", "\n", "?"]),
        "place": (["Jag bor i ", "Vi reser till ", "född i ", "staden ", "Vädret i "], [".", " och {L}.", " {date}."]),
        "whole": ["{P}, {A}", "Namn: {P}\nAdress: {A}", "{O} anställde {P}.", "{F} och {F} kommer från {L}."],
        "plain": ["Kan ni återställa mitt lösenord?", "Order {id} skickades {date}.", "God morgon, hur mår du?", "Allmänna Villkor", "Riksdagen antog lagen.", "Tack så mycket för hjälpen.", "Vad är beloppet på fakturan?", "Bästa kund,", "Kortet nekades. Försök igen senare."],
    },
    "no": {
        "person": (["Jeg er ", "Mitt navn er ", "Hei, det er ", "Hei ", "Kjære ", "Herr ", "Fru ", "Vår kunde ", "Kontohaver: ", "Med vennlig hilsen\n", "Kontakt ", "Min kone ", "naboen min ", "ifølge ", "Pasienten ", "", "Mottaker: ", "Navn: ", "og "],
                   [".", ", født {date}.", " ringte {date}.", " bor i {L}.", " på {phone}.", " ({email})", ",", " og {P} er gift.", " jobber hos {O}.", " vil si opp avtalen.", "\n{phone}", "?", ", {A}"]),
        "address": (["Jeg bor i ", "Adressen min er ", "Send pakken til ", "Adresse: ", "Bosted: ", "Kontoret vårt: ", "Leveres til "], [".", ", takk.", " innen {date}.", "\n", "?"]),
        "place": (["Jeg bor i ", "Vi reiser til ", "født i ", "byen ", "Været i "], [".", " og {L}.", " {date}."]),
        "whole": ["{P}, {A}", "Navn: {P}\nAdresse: {A}", "{O} ansatte {P}.", "{F} og {F} er fra {L}."],
        "plain": ["Kan dere tilbakestille passordet mitt?", "Ordre {id} ble sendt {date}.", "God morgen, hvordan går det?", "Vilkår og Betingelser", "Stortinget vedtok loven.", "Tusen takk for hjelpen.", "Hva er beløpet på fakturaen?", "Kjære kunde,", "Kortet ble avvist. Prøv igjen senere."],
    },
    "fi": {
        "person": (["Olen ", "Hei, täällä ", "Hei ", "Hyvä ", "Herra ", "Rouva ", "Asiakkaamme ", "Tilinomistaja: ", "Ystävällisin terveisin\n", "Ottakaa yhteyttä: ", "Vaimoni ", "naapurini ", "Potilas ", "", "Saaja: ", "Nimi: ", "ja "],
                   [".", ", syntynyt {date}.", " soitti {date}.", ", puh. {phone}.", " ({email})", ",", " ja {P} ovat naimisissa.", " haluaa irtisanoa sopimuksen.", "\n{phone}", "?", ", {A}", ", {L}"]),
        "address": (["Asun osoitteessa ", "Osoitteeni on ", "Lähettäkää paketti osoitteeseen ", "Osoite: ", "Toimistomme: ", "Kotiosoite: "], [".", ", kiitos.", " viimeistään {date}.", "\n", "?"]),
        "place": (["Kaupunki: ", "kotikunta ", "Sää: "], [".", " ja {L}.", " {date}."]),
        "whole": ["{P}, {A}", "Nimi: {P}\nOsoite: {A}", "{O} palkkasi: {P}.", "{F} ja {F}, {L}."],
        "plain": ["Voitteko palauttaa salasanani?", "Tilaus {id} lähetettiin {date}.", "Huomenta, mitä kuuluu?", "Yleiset Ehdot", "Eduskunta hyväksyi lain.", "Paljon kiitoksia avusta.", "Mikä on laskun summa?", "Hyvä asiakas,", "Kortti hylättiin. Yritä myöhemmin uudelleen."],
    },
    "hu": {
        "person": (["", "Üdvözlöm, ", "Kedves ", "Tisztelt ", "Ügyfelünk ", "Számlatulajdonos: ", "Üdvözlettel,\n", "Kérem, hívja: ", "A feleségem ", "a szomszédom, ", "A beteg ", "dr. ", "Kedvezményezett: ", "Név: ", "és "],
                   [" vagyok.", ", született {date}.", " telefonált {date}.", ", tel. {phone}.", " ({email})", ",", " és {P} házasok.", " le akarja mondani a szerződést.", "\n{phone}", "?", ", {A}", "."]),
        "address": (["Lakcímem: ", "A címem ", "Küldjék a csomagot ide: ", "Cím: ", "Irodánk: ", "Lakóhely: ", "Szállítás: "], [".", ", köszönöm.", " {date}.", "\n", "?"]),
        "place": (["Város: ", "születési hely ", "Időjárás: "], [".", " és {L}.", " {date}."]),
        "whole": ["{P}, {A}", "Név: {P}\nCím: {A}", "{O} felvette: {P}.", "{F} és {F}, {L}."],
        "plain": ["Vissza tudják állítani a jelszavamat?", "A(z) {id} rendelést {date} elküldtük.", "Jó reggelt, hogy van?", "Általános Szerződési Feltételek", "Az Országgyűlés elfogadta a törvényt.", "Nagyon köszönöm a segítséget.", "Mennyi a számla összege?", "Tisztelt Ügyfelünk!", "A kártyát elutasították. Próbálja később."],
    },
    "ro": {
        "person": (["Sunt ", "Numele meu este ", "Bună ziua, sunt ", "Bună ", "Stimate domnule ", "Stimată doamnă ", "Dl. ", "Dna. ", "Clientul nostru ", "Titular: ", "Cu stimă,\n", "Contactați pe ", "Soția mea ", "vecinul meu ", "conform ", "Pacientul ", "", "Beneficiar: ", "Nume: ", "și "],
                   [".", ", născut la {date}.", " a sunat la {date}.", " locuiește în {L}.", " la {phone}.", " ({email})", ",", " și {P} sunt căsătoriți.", " lucrează la {O}.", " vrea să renunțe.", "\n{phone}", "?", ", {A}"]),
        "address": (["Locuiesc pe ", "Adresa mea este ", "Trimiteți coletul la ", "Adresa: ", "Domiciliu: ", "Biroul nostru: ", "Livrare la "], [".", ", mulțumesc.", " până la {date}.", "\n", "?"]),
        "place": (["Locuiesc în ", "Mergem la ", "născut în ", "orașul ", "Vremea în "], [".", " și {L}.", " {date}."]),
        "whole": ["{P}, {A}", "Nume: {P}\nAdresă: {A}", "{O} a angajat pe {P}.", "{F} și {F} sunt din {L}."],
        "plain": ["Îmi puteți reseta parola?", "Comanda {id} a fost expediată la {date}.", "Bună dimineața, ce mai faceți?", "Termeni și Condiții", "Parlamentul a adoptat legea.", "Vă mulțumesc mult pentru ajutor.", "Care este suma facturii?", "Stimate client,", "Card respins. Încercați mai târziu."],
    },
    "tr": {
        "person": (["Ben ", "Benim adım ", "Merhaba, ben ", "Merhaba ", "Sayın ", "Sevgili ", "Müşterimiz ", "Hesap sahibi: ", "Saygılarımla,\n", "Lütfen arayın: ", "Eşim ", "komşum ", "Hasta ", "Dr. ", "", "Alıcı: ", "Ad Soyad: ", "ve "],
                   [".", ", doğum tarihi {date}.", " {date} tarihinde aradı.", ", tel. {phone}.", " ({email})", ",", " ve {P} evli.", " sözleşmeyi iptal etmek istiyor.", "\n{phone}", "?", ", {A}", " Bey geldi.", " Hanım aradı."]),
        "address": (["Adresim ", "Paketi şu adrese gönderin: ", "Adres: ", "Ofisimiz: ", "İkametgah: ", "Teslimat adresi: "], [".", ", teşekkürler.", " {date} tarihine kadar.", "\n", "?"]),
        "place": (["Şehir: ", "doğum yeri ", "Hava durumu: "], [".", " ve {L}.", " {date}."]),
        "whole": ["{P}, {A}", "İsim: {P}\nAdres: {A}", "{O} şunu işe aldı: {P}.", "{F} ve {F}, {L}."],
        "plain": ["Şifremi sıfırlayabilir misiniz?", "{id} numaralı sipariş {date} tarihinde gönderildi.", "Günaydın, nasılsınız?", "Hizmet Koşulları", "Meclis yasayı kabul etti.", "Yardımınız için çok teşekkürler.", "Fatura tutarı nedir?", "Sayın müşterimiz,", "Kart reddedildi. Daha sonra tekrar deneyin."],
    },
    "el": {
        "person": (["Είμαι ο ", "Είμαι η ", "Με λένε ", "Το όνομά μου είναι ", "Γεια σας, είμαι ", "Αγαπητέ ", "Αγαπητή κυρία ", "Κύριε ", "Ο πελάτης μας ", "Δικαιούχος: ", "Με εκτίμηση,\n", "Επικοινωνήστε με ", "Η γυναίκα μου ", "ο γείτονας ", "Ο ασθενής ", "", "Όνομα: ", "και "],
                   [".", ", γεννημένος {date}.", " κάλεσε στις {date}.", ", τηλ. {phone}.", " ({email})", ",", " και {P} είναι παντρεμένοι.", " θέλει να ακυρώσει.", "\n{phone}", ";", ", {A}"]),
        "address": (["Μένω στην ", "Η διεύθυνσή μου είναι ", "Στείλτε το δέμα στη διεύθυνση ", "Διεύθυνση: ", "Το γραφείο μας: ", "Παράδοση: "], [".", ", ευχαριστώ.", " έως {date}.", "\n", ";"]),
        "place": (["Μένω στην ", "Πάμε ", "πόλη ", "Ο καιρός: "], [".", " και {L}.", " {date}."]),
        "whole": ["{P}, {A}", "Όνομα: {P}\nΔιεύθυνση: {A}", "{F} και {F}, {L}."],
        "plain": ["Μπορείτε να επαναφέρετε τον κωδικό μου;", "Η παραγγελία {id} στάλθηκε στις {date}.", "Καλημέρα, τι κάνετε;", "Όροι Χρήσης", "Η Βουλή ψήφισε τον νόμο.", "Ευχαριστώ πολύ για τη βοήθεια.", "Ποιο είναι το ποσό του τιμολογίου;", "Αγαπητέ πελάτη,"],
    },
    "ru": {
        "person": (["Я ", "Здравствуйте, это ", "Моё имя ", "Уважаемый ", "Уважаемая ", "Господин ", "Наш клиент ", "Владелец счёта: ", "С уважением,\n", "Свяжитесь с нами: ", "Моя жена ", "сосед ", "Пациент ", "", "Получатель: ", "ФИО: ", "Имя: ", "и ", "Автор: "],
                   [".", ", дата рождения {date}.", " звонил {date}.", ", тел. {phone}.", " ({email})", ",", " и {P} женаты.", " работает в {O}.", " хочет отменить договор.", "\n{phone}", "?", ", {A}", " сказал, что всё хорошо."]),
        "address": (["Я живу по адресу ", "Мой адрес: ", "Отправьте посылку по адресу ", "Адрес: ", "Наш офис: ", "Прописка: ", "проживает: "], [".", ", спасибо.", " до {date}.", "\n", "?"]),
        "place": (["Город: ", "место рождения ", "г. ", "Погода: "], [".", " и {L}.", " {date}."]),
        "whole": ["{P}, {A}", "ФИО: {P}\nАдрес: {A}", "{F} и {F}, {L}."],
        "plain": ["Можете сбросить мой пароль?", "Заказ {id} отправлен {date}.", "Доброе утро, как дела?", "Условия Использования", "Государственная Дума приняла закон.", "Большое спасибо за помощь.", "Какова сумма счёта?", "Уважаемый клиент!", "Карта отклонена. Попробуйте позже.", "В Январе цены выросли.", "Напишите рассказ о собаке."],
    },
    "uk": {
        "person": (["Я ", "Добрий день, це ", "Моє ім'я ", "Шановний ", "Шановна ", "Пан ", "Пані ", "Наш клієнт ", "Власник рахунку: ", "З повагою,\n", "Зв'яжіться: ", "Моя дружина ", "сусід ", "Пацієнт ", "", "Отримувач: ", "ПІБ: ", "Ім'я: ", "та "],
                   [".", ", дата народження {date}.", " телефонував {date}.", ", тел. {phone}.", " ({email})", ",", " і {P} одружені.", " хоче скасувати договір.", "\n{phone}", "?", ", {A}"]),
        "address": (["Я живу за адресою ", "Моя адреса: ", "Надішліть посилку на адресу ", "Адреса: ", "Наш офіс: ", "проживає: "], [".", ", дякую.", " до {date}.", "\n", "?"]),
        "place": (["Місто: ", "місце народження ", "м. ", "Погода: "], [".", " і {L}.", " {date}."]),
        "whole": ["{P}, {A}", "ПІБ: {P}\nАдреса: {A}", "{F} і {F}, {L}."],
        "plain": ["Чи можете скинути мій пароль?", "Замовлення {id} відправлено {date}.", "Доброго ранку, як справи?", "Умови Використання", "Верховна Рада ухвалила закон.", "Дуже дякую за допомогу.", "Яка сума рахунку?", "Шановний клієнте!", "Картку відхилено. Спробуйте пізніше."],
    },
    "ar": {
        "person": (["أنا ", "اسمي ", "مرحبا، أنا ", "مرحبا، اسمي ", "السيد ", "السيدة ", "عزيزي ", "عزيزتي ", "العميل ", "صاحب الحساب: ", "مع تحيات ", "اتصل بـ ", "زوجتي ", "جاري ", "المريض ", "الدكتور ", "المستفيد: ", "الاسم: ", "يدعى "],
                   [".", "، تاريخ الميلاد {date}.", " اتصل يوم {date}.", "، هاتف {phone}.", " ({email})", "،", " و {phone}.", " يريد إلغاء العقد.", " وأحتاج مساعدة.", " وعندي سؤال.", " وأريد استرداد المبلغ.", "\n{phone}", "؟", "، {A}"]),
        "address": (["أسكن في ", "عنواني هو ", "أرسل الطرد إلى ", "العنوان: ", "مكتبنا: ", "يرجى التوصيل إلى "], [".", "، شكرا.", " قبل {date}.", "\n", "؟"]),
        "place": (["أسكن في ", "مدينة ", "ولد في ", "الطقس في "], [".", " و {L}.", " {date}."]),
        "whole": ["{P}، {A}", "الاسم: {P}\nالعنوان: {A}"],
        "plain": ["هل يمكنكم إعادة تعيين كلمة المرور؟", "تم شحن الطلب {id} يوم {date}.", "صباح الخير، كيف حالك؟", "الشروط والأحكام", "أقر البرلمان القانون.", "شكرا جزيلا على المساعدة.", "ما هو مبلغ الفاتورة؟", "عزيزي العميل،", "تم رفض البطاقة.", "ما هي عاصمة البلاد؟", "اكتب قصة قصيرة عن القط."],
    },
    "he": {
        "person": (["אני ", "שלום, אני ", "שלום, מדבר ", "שלום ", "קוראים לי ", "מר ", "גברת ", "הלקוח ", "בעל החשבון: ", "בברכה,\n", "צרו קשר עם ", "אשתי ", "השכן ", "המטופל ", "ד\"ר ", "המוטב: ", "שם: ", "יקר ", ""],
                   [".", ", תאריך לידה {date}.", " התקשר ב-{date}.", ", טלפון {phone}.", " ({email})", ",", " ו-{phone}.", " רוצה לבטל את החוזה.", "\n{phone}", "?", ", {A}"]),
        "address": (["אני גר ב", "הכתובת שלי היא ", "שלחו את החבילה אל ", "כתובת: ", "המשרד שלנו: ", "למסירה: "], [".", ", תודה.", " עד {date}.", "\n", "?"]),
        "place": (["אני גר ב", "העיר ", "נולד ב", "מזג האוויר: "], [".", " {date}."]),
        "whole": ["{P}, {A}", "שם: {P}\nכתובת: {A}"],
        "plain": ["האם תוכלו לאפס את הסיסמה שלי?", "ההזמנה {id} נשלחה ב-{date}.", "בוקר טוב, מה שלומך?", "תנאי שימוש", "הכנסת אישרה את החוק.", "תודה רבה על העזרה.", "מה סכום החשבונית?", "לקוח יקר,", "הכרטיס נדחה.", "כתוב סיפור קצר על חתול."],
    },
    "ja": {
        "person": (["私は", "担当の", "お客様の", "名前：", "氏名: ", "受取人：", "口座名義：", "患者", "こちらは", "昨日", "隣の", "妻の", "友人の", "宛先：", "差出人：", "契約者は", "弊社の", "社長の", ""],
                   ["です。", "と申します。", "さん", "様、お世話になっております。", "さんから電話がありました。", "、{phone}", "（{email}）", "、生年月日は{date}。", "先生に相談しました。", "が{date}に来ました。", "\n{phone}", "と{P}は夫婦です。", "、{A}"]),
        "address": (["住所は", "住所：", "私は", "荷物を", "事務所は", "お届け先: ", "本社所在地："], ["です。", "に住んでいます。", "に送ってください。", "\n", "、電話{phone}。", ""]),
        "place": (["出身は", "昨日", "来週", "勤務地："], ["です。", "に行きました。", "の天気は？", ""]),
        "whole": ["{P}\n{A}", "氏名：{P}　住所：{A}", "{P}様 {A}"],
        "plain": ["パスワードをリセットできますか？", "注文{id}は{date}に発送されました。", "おはようございます、お元気ですか。", "利用規約に同意します。", "国会は法律を可決しました。", "ご協力ありがとうございます。", "請求書の金額はいくらですか。", "カードが拒否されました。", "猫についての短い物語を書いてください。", "東京都は新しい条例を発表した。", "明日の会議は午後三時からです。"],
    },
    "zh": {
        "person": (["我是", "姓名：", "姓名: ", "您好，我是", "我的名字是", "客户", "联系人：", "收件人：", "户主", "账户持有人：", "患者", "我妻子", "我的邻居", "据", "昨天", "请联系", "请致电", "尊敬的", "聯絡人：", "我的名字叫", "由", ""],
                   ["。", "先生您好，", "女士，", "，出生日期{date}。", "，电话{phone}。", "（{email}）", "在{date}来过电话。", "想取消合同。", "说没问题。", "\n{phone}", "和{P}结婚了。", "，{A}", "老师。", "医生。"]),
        "address": (["我住在", "我的地址是", "请把包裹寄到", "地址：", "地址: ", "公司地址：", "送货至", "搬到了"], ["。", "，谢谢。", "\n", "，电话{phone}。", "。收件人{P}。"]),
        "place": (["我住在", "我们去", "出生于", "城市："], ["。", "的天气很好。", "，{date}。"]),
        "whole": ["{P}，{A}", "姓名：{P}\n地址：{A}", "收货人：{P} {phone} {A}"],
        "plain": ["可以重置我的密码吗？", "订单{id}已于{date}发货。", "早上好，你好吗？", "服务条款和条件", "全国人民代表大会通过了法律。", "非常感谢您的帮助。", "发票金额是多少？", "尊敬的客户：", "银行卡被拒绝，请稍后再试。", "请写一个关于猫的短故事。", "高中生应该学习编程吗？", "明天的会议在下午三点。", "马上解决这个问题。"],
    },
    "ko": {
        "person": (["저는 ", "안녕하세요, ", "이름: ", "성명: ", "고객 ", "담당자 ", "예금주: ", "받는 사람: ", "환자 ", "제 아내 ", "이웃 ", "어제 ", "연락처: ", "보낸 사람: ", "친구 ", "수취인 ", ""],
                   ["입니다.", "이라고 합니다.", "라고 합니다.", " 님, 안녕하세요.", "님께 연락 주세요.", " 씨가 {date}에 전화했습니다.", ", {phone}", " ({email})", ", 생년월일 {date}.", "가 계약을 취소하고 싶어 합니다.", "은 의사입니다.", "\n{phone}", " 선생님", ", {A}"]),
        "address": (["주소는 ", "주소: ", "저는 ", "소포를 ", "사무실: ", "배송지: ", "거주지 "], ["입니다.", "에 삽니다.", "로 보내 주세요.", "\n", ", 전화 {phone}.", ""]),
        "place": (["고향은 ", "어제 ", "도시: "], ["입니다.", "에 갔습니다.", " 날씨는?"]),
        "whole": ["{P}, {A}", "이름: {P}\n주소: {A}", "{P} {phone} {A}"],
        "plain": ["비밀번호를 재설정해 주시겠어요?", "주문 {id}은 {date}에 발송되었습니다.", "좋은 아침입니다, 어떻게 지내세요?", "이용 약관에 동의합니다.", "국회가 법을 통과시켰습니다.", "도와주셔서 정말 감사합니다.", "청구서 금액은 얼마인가요?", "고객님께,", "카드가 거부되었습니다.", "고양이에 대한 짧은 이야기를 써 주세요.", "이번 주 회의는 오후 세 시입니다."],
    },
}

KEYS = {
    "en": {
        "person": ["name", "full_name", "fullName", "customer", "customer_name", "Name", "contact", "holder", "patient", "employee", "author", "owner", "recipient", "displayName", "assignee", "Full name", "Contact person", "cardholder", "userName", "signed_by", "manager", "tenant"],
        "address": ["address", "addr", "Address", "street_address", "shipping_address", "billing_address", "home_address", "Ship to", "location", "shipTo", "homeAddress", "residence", "deliveryAddress"],
        "place": ["city", "City", "country", "place_of_birth", "birthplace", "town", "region", "birthCity", "hometown"],
        "org": ["company", "employer", "organization", "Company", "vendor", "merchant", "bank", "client"],
        "email": ["email", "mail", "Email", "contact_email"], "phone": ["phone", "tel", "mobile", "Phone", "phoneNumber"], "date": ["date", "created", "birthdate", "dob", "updated_at", "due"],
        "id": ["order", "orderId", "id", "invoice", "ticket", "ref"], "ip": ["ip", "client_ip", "host"], "uuid": ["uuid", "requestId", "trace_id"], "amount": ["amount", "total", "price"], "iban": ["iban", "account"],
        "version": ["version", "build"], "user": ["user", "username", "login"], "word": ["status", "product", "title", "type", "category", "department", "level", "plan", "message", "subject", "role", "note", "event", "service", "name"],
    },
    "de": {"person": ["Name", "Kunde", "Ansprechpartner", "Kontoinhaber", "Mitarbeiter"], "address": ["Adresse", "Anschrift", "Lieferadresse"], "place": ["Ort", "Stadt", "Geburtsort"]},
    "fr": {"person": ["Nom", "Client", "Titulaire", "Contact"], "address": ["Adresse", "adresse_livraison"], "place": ["Ville", "Pays"]},
    "es": {"person": ["Nombre", "Cliente", "Titular", "Contacto"], "address": ["Dirección", "Domicilio"], "place": ["Ciudad", "País"]},
    "it": {"person": ["Nome", "Cliente", "Intestatario"], "address": ["Indirizzo", "Domicilio"], "place": ["Città", "Paese"]},
    "pt": {"person": ["Nome", "Cliente", "Titular"], "address": ["Endereço", "Morada"], "place": ["Cidade", "País"]},
    "nl": {"person": ["Naam", "Klant", "Contactpersoon"], "address": ["Adres", "Bezorgadres"], "place": ["Plaats", "Stad"]},
    "pl": {"person": ["Imię i nazwisko", "Klient", "Nazwisko"], "address": ["Adres"], "place": ["Miasto"]},
    "cs": {"person": ["Jméno", "Zákazník"], "address": ["Adresa", "Bydliště"], "place": ["Město"]},
    "da": {"person": ["Navn", "Kunde"], "address": ["Adresse"], "place": ["By"]},
    "sv": {"person": ["Namn", "Kund"], "address": ["Adress"], "place": ["Stad", "Ort"]},
    "no": {"person": ["Navn", "Kunde"], "address": ["Adresse"], "place": ["By", "Sted"]},
    "fi": {"person": ["Nimi", "Asiakas"], "address": ["Osoite"], "place": ["Kaupunki"]},
    "hu": {"person": ["Név", "Ügyfél"], "address": ["Cím", "Lakcím"], "place": ["Város"]},
    "ro": {"person": ["Nume", "Client"], "address": ["Adresă", "Adresa"], "place": ["Oraș"]},
    "tr": {"person": ["Ad Soyad", "İsim", "Müşteri"], "address": ["Adres"], "place": ["Şehir"]},
    "el": {"person": ["Όνομα", "Ονοματεπώνυμο", "Πελάτης"], "address": ["Διεύθυνση"], "place": ["Πόλη"]},
    "ru": {"person": ["Имя", "ФИО", "Клиент"], "address": ["Адрес"], "place": ["Город"]},
    "uk": {"person": ["Ім'я", "ПІБ", "Клієнт"], "address": ["Адреса"], "place": ["Місто"]},
    "ar": {"person": ["الاسم", "العميل"], "address": ["العنوان"], "place": ["المدينة"]},
    "he": {"person": ["שם", "לקוח", "שם מלא"], "address": ["כתובת"], "place": ["עיר"]},
    "ja": {"person": ["氏名", "名前", "お名前", "担当者"], "address": ["住所", "お届け先"], "place": ["都市"]},
    "zh": {"person": ["姓名", "联系人", "收件人", "客户"], "address": ["地址", "收货地址"], "place": ["城市"]},
    "ko": {"person": ["이름", "성명", "고객명"], "address": ["주소", "배송지"], "place": ["도시"]},
}

DISTRACTORS = [
    "Pending", "Active", "Closed", "Approved", "Wireless Mouse", "USB Cable", "Blue Shirt", "Sales", "Human Resources", "Senior Engineer", "Premium", "Standard Plan", "High", "Low", "Warning", "Internal Error", "Credit Card", "Bank Transfer",
    "Order Confirmed", "In Progress", "Project Manager", "Marketing Lead", "Data Analyst", "Office Chair", "Gold Member", "Read Only", "Admin", "Customer Support", "Monthly Report", "Meeting Notes", "Annual Review", "Password Reset", "Login Failed",
    "Coffee Maker", "Garden Hose", "Running Shoes", "Winter Jacket", "Mastercard", "Visa", "PayPal", "Monday", "March", "English", "French", "Spring Boot", "Node", "Redis Cluster", "Main Menu", "Chief Executive Officer", "Doctor", "Teacher", "Nurse",
    "Shipped", "Delivered", "Refund Requested", "Invoice", "Quarterly Results", "Black Friday", "New Year", "Type B", "Model X", "Galaxy Tab", "Apple", "Orange Juice", "Green Tea", "Dark Chocolate", "Table Lamp", "Desk", "Paris Saint Germain Shirt",
    "Support Level Two", "Gateway Timeout", "Access Denied", "Null Pointer Exception", "Connection Refused", "Database Migration", "Feature Request", "Bug", "Unknown", "None", "True", "N/A",
]

STREET_WORDS = (
    "street st road rd avenue ave lane ln drive dr court ct square sq boulevard blvd way place pl terrace close crescent parade highway parkway suite apt apartment flat unit level floor box psc usns fpo dpo apo po studio station mews hill grove green gardens row walk "
    "rue avenue chemin boulevard impasse allée place quai route calle avenida plaza paseo camino carretera vía ronda glorieta pasadizo circunvalación urbanización cuesta rambla alameda pasaje callejón calzada privada cerrada prolongación interior piso puerta edificio "
    "via viale piazza corso largo vicolo strada borgo contrada rotonda canale stretto incrocio appartamento piano rua travessa praça largo alameda rodovia estrada beco morro lago colônia conjunto esplanada favela jardim ladeira lagoa loteamento núcleo parque passarela quadra recanto residencial setor sítio trecho trevo vale vereda viaduto viela "
    "straße strasse str weg gasse platz allee ring ufer damm straat laan weg plein steeg dreef kade gracht pad singel baan hof ulica ul aleja al plac pl os osiedle rondo ulice náměstí třída nábřeží gade vej allé stræde vænge torv plads vägen gatan gränd torget stigen "
    "gata veien vegen gate katu tie polku kuja bulevardi tori utca út tér köz sétány fasor körút strada str bulevardul bd aleea soseaua calea intrarea splaiul piata nr bl sc ap et sokak sok cadde cad mahalle mah bulvarı "
    "οδός λεωφόρος πλατεία τκ ул улица пр проспект пл площадь наб набережная ш шоссе пер переулок бул бульвар алл аллея д дом к корп стр кв г п с клх ст д буд вулиця вул площа провулок проспект шосе узвіз бульвар набережна "
    "שדרות רחוב شارع طريق حي 省 市 县 區 区 路 街 座 号 號 村 镇 镇 乡 縣 鄉 樓 都 道 府 県 町 丁目 番 号 시 도 군 구 읍 면 동 리 로 길"
).split()

CITY_WORDS = (
    "london paris berlin madrid rome vienna tokyo beijing moscow delhi mumbai sydney toronto chicago boston houston dallas seattle denver atlanta miami philadelphia phoenix detroit portland austin singapore dubai cairo lagos nairobi istanbul athens lisbon dublin brussels "
    "amsterdam copenhagen stockholm oslo helsinki warsaw prague budapest bucharest kyiv zurich geneva munich hamburg frankfurt cologne milan naples turin barcelona valencia lyon marseille manchester birmingham liverpool glasgow edinburgh california texas florida ohio "
    "virginia georgia washington york angeles francisco vegas orleans jersey hampshire carolina dakota africa europe asia america england scotland wales ireland britain usa uk uae"
).split()

PARTICLES = (
    "de la del da do dos das di du des van von der den zu zur zum af av ter ten het le y e i bin ibn al el abu ben bat und et u v pod nad na sur les aux lès in op aan am an im bei sul sulla della dei degli d l reg of the"
).split()
