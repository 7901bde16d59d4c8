# Signing in. Every message stands in sign_in.nl.ftl too.

sign-in-title = Sign in
sign-in-at = You sign in at { $organisation }.
sign-in-with-provider = Sign in with your work account
sign-in-with-provider-hint = You need no separate password.
sign-in-local-title = Sign in without a work account
sign-in-user = User name
sign-in-password = Password
sign-in-button = Sign in
sign-in-help = Does signing in not work? Ask your functional administrator for a new activation code.
sign-in-activate = Activate an account with a code
sign-in-wrong = The user name or the password is not right.
sign-in-wait-seconds-one = You tried too often. Wait 1 more second.
sign-in-wait-seconds-many = You tried too often. Wait { $count } more seconds.
sign-in-wait-minutes-one = You tried too often. Wait 1 more minute.
sign-in-wait-minutes-many = You tried too often. Wait { $count } more minutes.
sign-in-ended-kept = You had been signed out. What you filled in is kept. Sign in to go on.
sign-in-ended = You were signed out. You were inactive for a while, signed in for long, or signed out elsewhere.
signed-out = You are signed out, on all your devices.

second-factor-title = Second step
second-factor-text = Open the app on your phone. Fill in the code for Kring.
second-factor-code = Code of 6 digits
second-factor-button = Continue
second-factor-wrong = This code is not right, or was used before. Wait for a new code.
second-factor-help = Lost your phone? Ask your functional administrator for a new activation code.

activate-title = Activate your account
activate-text = Your functional administrator gave you an activation code.
activate-code = Activation code
activate-code-hint = Four groups of five letters and digits. The code works for 72 hours.
activate-password = Choose a password
activate-password-hint = At least 12 characters. A phrase of a few words is good.
activate-again = The same password again
activate-button = Continue
activate-wrong = The user name or the code is not right. Or the code has expired.
password-too-short = The password is too short. Take at least 12 characters.
password-too-long = The password is too long. Take at most 256 characters.
password-common = This password is easy to guess. Choose another.
password-not-again = The two passwords are not the same.

factor-title = Set up the second step
factor-text = You sign in with your password and with a code from an app.
factor-step-app = Install an app for codes on your phone. Your organisation knows which.
factor-step-scan = Point the app's camera at this picture.
factor-picture = Picture with the secret key for the app
factor-step-type = Does that not work? Then type this key into the app.
factor-step-code = Fill in the code that the app shows.
factor-button = Done

no-access-title = You have no access yet
no-access-role = Your work account has no role in Kring. Ask your functional administrator for a role.
no-access-closed = Your account in Kring is closed. Ask your functional administrator why.
name-unknown = Name unknown

provider-unreachable-title = Signing in with your work account does not work now
provider-unreachable-text = Your organisation's sign-in service gives no good answer. Try again later. Still not? Call your helpdesk.
provider-declined-title = You are not signed in
provider-declined-text = Your organisation's sign-in service did not sign you in. Try again, or call your helpdesk.
provider-refused-title = You are not signed in
provider-refused-text = The answer of the sign-in service was not right. Begin again. Does it happen more often? Call your helpdesk.

form-foreign-title = This page had expired
form-foreign-text = We stored nothing. Go back, reload the page and try once more.
form-malformed-title = We could not read this form
form-malformed-text = We stored nothing. Reload the page and fill in the form once more.
form-too-long-text = You sent too much at once. We stored nothing.
form-too-slow-text = Sending took too long. We stored nothing. Try again.
