"""Words for the same subject in several languages, because a judge seldom uses the words of the call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from cekura_tui.evidence.particulars import MONTHS, WEEKDAYS
from cekura_tui.evidence.spoken_words import STOP_WORDS, Word, stem, two_digits

_SUBJECTS = """
hello greet- hallo hola bonjour namaste guten+tag good+morning good+afternoon buenos+dias buenas+tardes, goodbye
farewell bye tschuss wiederhoren adios au+revoir nice+day great+day take+care schonen+tag bonne+journee hasta+luego
hang+up hung+up hangup aufgelegt auflegen colgar raccroch-, introduc- my+name mein+name mi+nombre mon+nom mappelle
me+llamo ich+heisse have+reached speaking+with calling+from hier+ist hier+spricht bol+raha, thank- dank- bedank- merci
remerci- gracias agradec- apprec- shukriya, sorry apolog- entschuldig- mir+leid disculp- perdon- desole excus- uns+leid
verzeih- lo+siento lo+lamento pardon regret- maaf, human- person persona mensch- mitarb- representat- operator-
colleague- kolleg- asesor- real+person live+agent conseiller speak+to speak+with talk+to hablar+con parler+a
mit+jemandem baat+karni, supervis- manager- vorgesetzt- boss jefe gerente superieur, transfer- handoff escalat-
redirect- you+through weiterleit- connect+you comunico me+through durchstell- verbinde, robot- chatbot- an+ai automated
virtual+assistant kunstlich- digital+assistant asistente+virtual eine+ki ki+assistent inteligencia+artificial a+bot
un+bot ein+bot einem+bot a+computer virtuel-, wait waiting waited on+hold hold+on a+moment warten warteschleife
einen+moment augenblick espere esperar attendre ne+quittez un+momento un+instant patienter bear+with a+sec un+segundo
momentito moment+bitte sekunde please+hold patientez ek+minute, callback call+back you+back me+back ruckruf- zuruckruf-
rappel- calling+back zuruckgeruf- llamarle, repeat- wiederhol- repet- repit- nochmal noch+einmal otra+vez say+again
i+said told+you already+said already+told already+asked loop schon+gesagt wie+gesagt ya+dije deja+dit, confirm-
bestatig- stimmt richtig- korrekt- read+back, mistak- error- fehler- falsch- wrong equivoc- corrected correcting
korrig- corrig- verwechs- mix+up erreur- incorrect- i+meant ich+meinte irrtum- galat, spell- spelt buchstab- deletre-
epeler letter+by epelez, refus- declin- deny denied weiger- verweiger- rechaz- ablehn- abgelehnt no+way rather+not
not+giving not+want not+comfortable not+interested no+thanks no+thank nein+danke no+gracias non+merci mochte+nicht
no+quiero veux+pas nahi+chahiye, unable unfort- leider not+able not+possible imposs- unmoglich malheur- no+puedo
peux+pas no+podemos can+not could+not kann+nicht konnen+nicht no+puede pas+possible peut+pas nahi+sakta, agree agreed
agrees consent- einverstanden zustimm- acuerdo daccord accept- acept- akzept- go+ahead sounds+good all+right that+works
works+for passt vale dale ok+alors yes+please ja+bitte ja+gerne klingt+gut in+ordnung me+parece ca+marche theek+hai,
promis- promet- versprech- zusag- commitment versproch- sorge+dafur ensur-, warrant- guarant- garant- gewahrleist-,
recommend- recommand- sugg- advice advise advised empfehl- vorschlag- recomiend- recomend- sugier- conseille propos-
empfohl-, expla- erklar- explica- expliq- clarif- aclar- elaborat- you+mean meinen+sie quiere+decir vous+dire matlab,
misunderst- missverst- confus- confund- malentend- unclear, complain- beschwer- reklam- quej- reclam-, frustr- annoy-
upset angry anger fed+up ridicul- genervt arger- enoj- wutend unacceptable disappoint- enttausch- decepcion-
unzufrieden waste+of, sympathy sympathetic empath- compassion- mitgefuhl sorry+to can+imagine oh+no oh+je awful
terrible schlimm gute+besserung sad+to, spanish spanisch- espanol espagnol, recording recorded aufzeichn- aufgezeichn-
grabando enregistr- grabacion-, identity identitat verify verified verifying verification ausweis-, birth- dob geburt-
geboren nacimiento naissance born nacid-, name nombre nom naam namen, surname nachnam- apellid- last+name family+name
de+famille, address adress- anschrift- direccion- street strasse calle, number numbers nummer- numero-, phone telefon-
telephon- mobile handynummer cell phones movil celular, email mail mails correo-, sms text+message texted
textnachricht- whatsapp, website webseite- web+site link enlace online, account accounts konto cuenta compte konten
cuentas khata, referenc- confirmation+number booking+number order+number customer+number kundennummer- buchungsnummer-,
code codes codigo- pin otp password- passwort- kennwort- contrasena- clave de+passe, price prices pricing cost costs
preis kosten kostet precio precios cuesta- prix coute cest+combien, fee fees surcharge- gebuhr- zuschlag- frais
comision-, total gesamt- amount- betrag montant, discount- rabatt- descuent- remise gutschein- coupon- voucher-
gift+card promo+code cupon-, refund- reimburs- erstatt- reembols- rembours- money+back geld+zuruck, pay payment- paid
paying zahlen zahlung- bezahl- pagar pago paiement-, card cards karte kreditkart- tarjeta- carte cartes, installment-
instalment- raten cuota- payment+plan ratenzahl- plazos emi, deposit- anzahlung- kaution- acompte anticipo, bill bills
billing billed invoic- rechnung- factur- receipt- recibo kassenbon- quittung- beleg belege, appointment appointments
slot slots termin cita rendez+vous creneau- freie+termine keine+termine, booking bookings booked buchen gebucht buchung
reserv- schedule scheduled vereinbar-, reschedul- postpon- verschieb- verschob- umbuch- verleg- move+my move+it aplaz-,
cancel- storn- kundig- gekundig- absag- annul- anul- de+baja widerruf- resilier, deadline- frist- due+date plazo
fecha+limite delai- preavis innerhalb spatestens expir- mas+tardar, open opening offnungs- geoffn- abiert- horario-
ouvert- business+hours, availab- verfugbar- disponib- frei libre, unavail- sold+out agotad- fully+booked ausverkauf-
ausgebucht- of+stock, late delay- verspat- verzoger- retras- retard- demor-, urgen- emergenc- dringend- notfall- asap
notaufnahm- notruf- notdienst- ambulanc- rettungs- 911 inmediat- right+away sofort as+soon ahora+mismo cuanto+antes,
document- dokument- unterlag-, form forms formular- formulaire fill+out ausfull-, order orders ordered bestell- pedido-
commande-, contract contracts contrat- agreement- subscri- suscri- abonn- membership- mitglied- abo membresia- vertrag
vertrags- vertrages, option- opcion- alternat- moglichkeit-, check- look+up looked+up pruf- uberpruf- nachschau-
comprob- verifie me+look pull+up looking+up looking+into looking+it me+see je+regarde, technical technisch- glitch-
storung- panne, reason reasons grund why warum motivo pourquoi la+razon la+raison, expensive teuer caro cher mehnga,
location standort- ubica- anfahrt- get+there como+llegar branch locations located, today heute hoy aujourdhui aaj,
tomorrow morgen manana demain kal, morning vormittag- matin- subah, evening abend abends soir tonight shaam, day days
tag tagen dia dias jour jours din, month months monat- meses mois, year years jahr- ano anos ans, hour hours stund- uhr
heures oclock baje hora horas heure, wife ehefrau esposa meine+frau ma+femme, husband ehemann esposo marido mari
mein+mann, child kids kid kinder nino enfant- hijo hijos, daughter tochter- hija fille, mother mom mum mutter- madre
mere, problem problema probleme trouble- dikkat schwierig- difficult- issue issues, pain pains painful hurt hurts
hurting ache aches aching sore headache- schmerz- kopfschmerz- weh dolor- duele douleur- dard, injur- wound- verletz-
lesion- herida- blessure-, sick ill illness- unwell krank krankheit- krankschreib- krankmeld- enfermo enferma malade-
maladie- bimar, allerg- alerg- intoleran- unvertraglich- celiac- zoliakie-, medicat- medicin- meds pill pills
medikament- medizin medicament- pastilla- tabletten dawai, prescri- refill- rezept rezepte receta- verschreib-
ordonnance-, physician- arzt- hausarzt- medico medecin- the+dr a+dr my+dr your+dr the+gp, hospital hospitals
krankenhaus- hopital, disabilit- wheelchair- rollstuhl- behinder- barrierefrei- discapac- handicap- ruedas disabled,
pet pets animal- haustier- tiere mascota-, insur- versicherung- versichert seguros mi+seguro su+seguro poliza-
policy+number assurance assureur, insurance+claim schadensmeld- schadenmeld- schadensfall siniestro- sinistre- my+claim
your+claim a+claim, coverage cover covered gedeckt abgedeckt cobertura- cubre couverture, damag- beschadig- dano danos
danad- endommag- degat- scratch- schaden- a+dent dented, accident accidents accidente unfall- collision- choque,
lawyer- attorney- solicitor- anwalt- rechtsanwalt- abogad- avocat-, salar- salair- wage wages payroll payslip-
paycheck- gehalt gehalts- lohn lohnabrech- nomina sueldo-, landlord- vermieter- hausverwalt- propietari- proprietair-,
rent rents rented renting miete mieten kaltmiet- alquil- loyer- kiraya, apartment- apartament- appartement- wohnung-
flats piso my+flat the+flat, leak- undicht- rohrbruch- wasserschad- tropft fuga gotea- fuite-, outage- blackout
power+cut stromausfall- ausfall- ausgefallen apagon- coupure-, technician- engineer- techniker- tecnico monteur-
handwerker-, repair- reparier- reparatur- reparac- reparar arregl- fix fixing, broken broke defekt- defect- averia-
kharab faulty not+working kaputt- geht+nicht no+funciona casse marche+pas, condolen- beileid- pesame your+loss, block-
frozen locked gesperr- sperren bloqu- suspend- freeze freezing, fraud- scam- unauthori- betrug- estaf- arnaqu-, loan-
lend borrow- darlehen- kredit prestamo- emprunt-, direct+debit debited autopay lastschrift- abgebucht- abbuch- prelev-,
debt- arrears owe owed past+due outstanding schulden- inkasso- mahnung- deuda- impay-, internet wifi wi+fi wlan
broadband glasfaser- fibra fiber, login- log+in logged+in sign+in einlogg- iniciar+sesion anmeldedaten, flight-
the+plane my+plane flug fluge flieg- fly flying flew vuelo- avion- vol vols, luggage baggage bag bags suitcase- gepack-
koffer- maleta- equipaje- bagage-, seat seats sitz sitzplatz- asiento- siege sieges, room rooms zimmer doppelzimm-
habitacion- chambre-, guest- people persons party+of gaste personen personas personnes, food meal- dish dishes essen
comida plato plat repas khana, deliver- gelief- zustell- zugestell- entreg- livrais- liefern lieferung- livrer, return
send+back sent+back zuruckschick- zuruckgeb- retour- devolver returns returning, cars vehicle- auto autos fahrzeug-
coche voiture- gaadi my+car your+car the+car a+car
"""


def _rows() -> Iterator[tuple[str, str]]:
    """Yield each entry of the table with its subject: "#" and the first word of the row."""
    for row in map(str.split, _SUBJECTS.split(",")):
        yield from ((entry, f"#{row[0].rstrip('-')}") for entry in row)


_EXACT = {word: subject for word, subject in _rows() if word.isalnum()}
_PREFIXES = {word[:-1]: subject for word, subject in _rows() if word.endswith("-")}
_PAIRS = {tuple(word.split("+")): subject for word, subject in _rows() if "+" in word}
_SHORTEST, _LONGEST = 3, max(map(len, _PREFIXES))


@lru_cache(maxsize=20_000)
def term_of(form: str) -> str:
    """The subject of a normalised word, such as "#human" for "representative", else its stem."""
    if subject := _EXACT.get(form):
        return subject
    if form in MONTHS or form in WEEKDAYS:
        return f"#month {MONTHS[form]}" if form in MONTHS else f"#day {WEEKDAYS[form]}"
    for length in range(min(len(form), _LONGEST), 2, -1):
        if subject := _PREFIXES.get(form[:length]):
            return subject
    return stem(form)


def terms_of(words: Sequence[Word]) -> Iterator[tuple[str, Word]]:
    """The terms of words in order, each with its word. Stop words and short words are left out, unless they have a
    subject, and so is "one". A time has further terms for how people say it, such as 10:30 for 22:30 and 9 for 9:00."""
    for n, word in enumerate(words):
        form = word.form
        if n + 1 < len(words) and (subject := _PAIRS.get((form, words[n + 1].form))):
            yield subject, word._replace(end=words[n + 1].end)
        if form[0].isdigit():
            hour, _, minutes = form.partition(":")
            if minutes and 13 <= two_digits(hour) <= 23:
                yield f"{two_digits(hour) - 12}:{minutes}", word
            if minutes == "00":
                yield str((two_digits(hour) - 1) % 12 + 1), word
            if form != "1":
                yield form, word
        elif len(form) >= _SHORTEST or not form.isascii():
            term = term_of(form)
            if term[0] == "#" or form not in STOP_WORDS:
                yield term, word
