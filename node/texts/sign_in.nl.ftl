# Inloggen. Elk bericht staat ook in sign_in.en.ftl.

sign-in-title = Inloggen
sign-in-at = U logt in bij { $organisation }.
sign-in-with-provider = Inloggen met uw werkaccount
sign-in-with-provider-hint = Er is geen aparte inlog nodig.
sign-in-local-title = Inloggen zonder werkaccount
sign-in-user = Gebruikersnaam
sign-in-password = Wachtwoord
sign-in-button = Inloggen
sign-in-help = Lukt inloggen niet? Vraag uw functioneel beheerder om een nieuwe activeringscode.
sign-in-activate = Account activeren met een code
sign-in-wrong = De gebruikersnaam of het wachtwoord klopt niet.
sign-in-wait-seconds-one = U probeerde het te vaak. Wacht nog 1 seconde.
sign-in-wait-seconds-many = U probeerde het te vaak. Wacht nog { $count } seconden.
sign-in-wait-minutes-one = U probeerde het te vaak. Wacht nog 1 minuut.
sign-in-wait-minutes-many = U probeerde het te vaak. Wacht nog { $count } minuten.
sign-in-ended-kept = U was uitgelogd. Wat u invulde, is bewaard. Log in om verder te gaan.
sign-in-ended = U bent uitgelogd. U was een tijd niet actief, lang ingelogd, of logde ergens anders uit.
signed-out = U bent uitgelogd, op al uw apparaten.

second-factor-title = Tweede stap
second-factor-text = Open de app op uw telefoon. Vul de code van Kring in.
second-factor-code = Code van 6 cijfers
second-factor-button = Verder
second-factor-wrong = Deze code klopt niet, of is al gebruikt. Wacht op een nieuwe code.
second-factor-help = Hebt u uw telefoon niet meer? Vraag uw functioneel beheerder om een nieuwe activeringscode.

activate-title = Uw account activeren
activate-text = U hebt een activeringscode gekregen van uw functioneel beheerder.
activate-code = Activeringscode
activate-code-hint = Vier groepjes van vijf letters en cijfers. De code werkt 72 uur.
activate-password = Kies een wachtwoord
activate-password-hint = Minstens 12 tekens. Een zin van een paar woorden is goed.
activate-again = Hetzelfde wachtwoord nog een keer
activate-button = Verder
activate-wrong = De gebruikersnaam of de code klopt niet. Of de code is verlopen.
password-too-short = Het wachtwoord is te kort. Neem minstens 12 tekens.
password-too-long = Het wachtwoord is te lang. Neem hooguit 256 tekens.
password-common = Dit wachtwoord is makkelijk te raden. Kies een ander.
password-not-again = De twee wachtwoorden zijn niet gelijk.

factor-title = Stel de tweede stap in
factor-text = U logt in met uw wachtwoord en met een code uit een app.
factor-step-app = Installeer een app voor codes op uw telefoon. Uw organisatie weet welke.
factor-step-scan = Richt de camera van de app op dit plaatje.
factor-picture = Plaatje met de geheime sleutel voor de app
factor-step-type = Lukt dat niet? Typ dan deze sleutel in de app.
factor-step-code = Vul de code in die de app laat zien.
factor-button = Klaar

no-access-title = U hebt nog geen toegang
no-access-role = Uw werkaccount heeft geen rol in Kring. Vraag uw functioneel beheerder om een rol.
no-access-closed = Uw account in Kring is gesloten. Vraag uw functioneel beheerder waarom.
name-unknown = Naam onbekend

provider-unreachable-title = Inloggen met uw werkaccount lukt nu niet
provider-unreachable-text = De inlogdienst van uw organisatie geeft geen goed antwoord. Probeer het straks opnieuw. Lukt het dan niet? Bel uw helpdesk.
provider-declined-title = U bent niet ingelogd
provider-declined-text = De inlogdienst van uw organisatie heeft u niet ingelogd. Probeer het opnieuw, of bel uw helpdesk.
provider-refused-title = U bent niet ingelogd
provider-refused-text = Het antwoord van de inlogdienst klopte niet. Begin opnieuw. Gebeurt dit vaker? Bel uw helpdesk.

form-foreign-title = Deze pagina was verlopen
form-foreign-text = Wij hebben niets opgeslagen. Ga terug, laad de pagina opnieuw en probeer het nog een keer.
form-malformed-title = Dit formulier konden wij niet lezen
form-malformed-text = Wij hebben niets opgeslagen. Laad de pagina opnieuw en vul het formulier nog een keer in.
form-too-long-text = U stuurde te veel tegelijk. Wij hebben niets opgeslagen.
form-too-slow-text = Het versturen duurde te lang. Wij hebben niets opgeslagen. Probeer het opnieuw.
