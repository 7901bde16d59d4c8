# Teksten van de pagina's. Elk bericht staat ook in pages.en.ftl. Eén bericht per regel, korte zinnen, "u".

# Op elke pagina.
app-name = Kring
skip-to-content = Naar de inhoud
test-data = Testgegevens: gebruik dit niet voor echte gezinnen.
test-data-why = Het verkeer van deze opstelling verraadt wanneer u iets doet.
main-menu = Hoofdmenu
language-choice = Taal
language-nl = Nederlands
language-en = English
sign-out = Uitloggen
footer-danger = Is er direct gevaar?
footer-call-112 = Bel 112
footer-doubt = Twijfelt u over de veiligheid?
footer-call-veilig-thuis = Bel Veilig Thuis: 0800-2000
footer-no-report = Een signaal in Kring is geen melding bij Veilig Thuis. Volg altijd de meldcode.
footer-place = { $organisation } gebruikt Kring. Andere organisaties zien uw gegevens over gezinnen niet.
error-summary = Er is een probleem
error-in-title = Fout:
error-before = Fout:
optional = niet verplicht
back = Terug
continue = Verder
cancel = Annuleren

# Menu.
menu-overview = Mijn overzicht
menu-new-signal = Signaal afgeven
menu-expiring = Aflopende signalen
menu-team = Mijn team
menu-absence = Afwezig en overdragen
menu-import = Inlezen
menu-people = Mensen en teams
menu-network = Netwerk
menu-access-request = Inzageverzoek
menu-audit = Logboek
menu-account = Mijn account

# Wanneer iets niet lukt.
failed-title = Dit lukt nu niet
failed-text = Er ging bij ons iets mis. Wat u bewaarde, is er nog. Probeer het over een minuut opnieuw.
not-found-title = Deze pagina is er niet
not-found-text = Het adres klopt niet, of u mag deze pagina niet zien.
no-right-title = U mag deze pagina niet zien
no-right-text = Vraag uw leidinggevende als u denkt dat dit niet klopt.
to-overview = Naar mijn overzicht
