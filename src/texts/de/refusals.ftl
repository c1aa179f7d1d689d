# Warum ein Datenträger nicht angeboten wird.

refusal-runs-system = Dieses Home Assistant läuft davon.
refusal-holds-data = Darauf liegen die Daten dieses Systems.
refusal-system-unknown = Es ist noch nicht bekannt, welche Datenträger dieses System verwendet ({ $missing } hat nicht geantwortet).
refusal-built-in = Er ist fest eingebaut.
refusal-in-use = { $what } verwendet ihn.
refusal-mounted = Er ist auf diesem Gerät eingehängt oder in Gebrauch.
refusal-job-uses-it = Eine laufende Arbeit verwendet ihn.
refusal-finished = Das ist die neue, fertige Karte. Bitte aus dem Leser nehmen.
refusal-too-small = Zu klein: { $has }, nötig sind { $need }.
refusal-too-large = Zu groß: { $has }; höchstens 2,2 TB können verwendet werden.
refusal-write-protected = Er ist schreibgeschützt.
refusal-no-medium = Keine Karte darin. Bitte die neue Karte einlegen.
refusal-sector-size = Seine Sektoren haben { $bytes } Bytes; Home Assistant OS braucht 512.
refusal-unreadable = Er konnte nicht gelesen werden.
refusal-twin = Er sieht genauso aus wie ein anderer. Diesen abziehen und wieder einstecken.
refusal-may-not-open = Diese App darf ihn noch nicht öffnen.
