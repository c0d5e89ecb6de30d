-- What the words of the predicates mean, as read-only views over verified entries. Every view is one definition of the
-- evidence model (`wss-draft.json`, definitions). `book` and `idx` are those of the entry that the row rests on.

-- An approval that counts: a yes, given in time, with a credential that was live then. `person` is whom it is bound to.
CREATE VIEW sound_approval AS
SELECT a.book, a.idx, a.at, a."case", a.intent, a.policy, a.approver, a.credential, a.device, a.user_verified,
  a.display_digest, a.expires_at,
  (SELECT e.person FROM CredentialEnrolled e WHERE e.credential = a.credential LIMIT 1) AS person
FROM Approved a
WHERE a.verdict = 'approve' AND a.at < a.expires_at
  AND NOT EXISTS (SELECT 1 FROM CredentialRevoked r WHERE r.credential = a.credential AND r.at <= a.at);

-- A case with a judgment that is no denial and, where it requires quorums, sound approvals by enough distinct members, each
-- of the judged intent under the judged policy.
CREATE VIEW duly_approved_case AS
SELECT j.book, j.idx, j.at, j."case"
FROM Judged j
WHERE json_extract(j.judgment, '$.answer') IS NOT 'deny'
  AND coalesce(j.quorum_m, 0) <= (
    SELECT count(DISTINCT a.approver)
    FROM sound_approval a
    WHERE a."case" = j."case" AND a.intent = j.intent AND a.policy = j.policy
      AND a.approver IN (SELECT value FROM json_each(coalesce(j.quorum_members, '[]')))
  );

-- An enrolled credential that nobody revoked.
CREATE VIEW live_credential AS
SELECT e.book, e.idx, e.at, e.person, e.credential, e.kind, e.factors, e.phishing_resistant
FROM CredentialEnrolled e
WHERE NOT EXISTS (SELECT 1 FROM CredentialRevoked r WHERE r.credential = e.credential AND r.idx > e.idx);

-- A wallet with a key that nobody retired.
CREATE VIEW live_wallet AS
SELECT w.book, w.idx, w.at, w.wallet, w.tier, w.reason, w.chain, k.threshold, k.shares, k.holders, k.at AS key_at
FROM WalletOpened w
JOIN KeyGenerated k ON k.wallet = w.wallet
WHERE NOT EXISTS (SELECT 1 FROM KeyRetired r WHERE r.wallet = w.wallet);

-- The highest epoch of a wallet's shares; zero when they were never renewed.
CREATE VIEW current_epoch AS
SELECT w.book, w.idx, w.wallet,
  max(
    coalesce((SELECT max(f.epoch_to) FROM KeyRefreshed f WHERE f.wallet = w.wallet), 0),
    coalesce((SELECT max(s.epoch_to) FROM KeyReshared s WHERE s.wallet = w.wallet), 0)
  ) AS epoch
FROM live_wallet w;

-- Who holds a share now, one row each.
CREATE VIEW current_holders AS
SELECT w.book, w.idx, w.wallet, h.value AS holder
FROM live_wallet w,
  json_each(coalesce(
    (SELECT s.holders_after FROM KeyReshared s WHERE s.wallet = w.wallet ORDER BY s.idx DESC LIMIT 1),
    w.holders
  )) h;

-- The newest word on where a holder's share runs.
CREATE VIEW current_placement AS
SELECT p.book, p.idx, p.at, p.wallet, p.holder, p.host, p.region, p.operator, p.hardware
FROM PlacementAttested p
WHERE NOT EXISTS (
  SELECT 1 FROM PlacementAttested q WHERE q.wallet = p.wallet AND q.holder = p.holder AND q.idx > p.idx
);

-- Each party's newest capture, one row a key. A party that never captured has none.
CREATE VIEW latest_configuration AS
SELECT c.book, c.idx, c.at, c.party, v.key, v.value, v.type
FROM ConfigurationCaptured c, json_each(c."values") v
WHERE NOT EXISTS (
  SELECT 1 FROM ConfigurationCaptured d WHERE d.party = c.party AND d.idx > c.idx
);

-- A role that can approve, administer, hold shares, or change policy, and that nobody ended.
CREATE VIEW key_role AS
SELECT g.book, g.idx, g.at, g.person, g.role, g."case"
FROM RoleGranted g
WHERE NOT EXISTS (
  SELECT 1 FROM RoleEnded e WHERE e.person = g.person AND e.role = g.role AND e.at >= g.at
);

-- A case whose intent moved assets out: it was signed, or closed as settled.
CREATE VIEW outgoing_transfer AS
SELECT j.book, j.idx, j.at, j."case", j.wallet, j.recipient, j.intent
FROM Judged j
WHERE j.kind = 'transfer'
  AND (
    EXISTS (SELECT 1 FROM Signed s WHERE s."case" = j."case")
    OR EXISTS (SELECT 1 FROM Closed c WHERE c."case" = j."case" AND c.outcome = 'settled')
  );

-- Cases that change who can do what.
CREATE VIEW high_risk_case AS
SELECT j.book, j.idx, j.at, j."case", j.kind FROM Judged j WHERE j.risk_class = 'high';

-- The newest version of each document.
CREATE VIEW newest_document AS
SELECT d.book, d.idx, d.at, d.document, d.kind, d.version, d.covers, d.review_due
FROM DocumentAdopted d
WHERE NOT EXISTS (SELECT 1 FROM DocumentAdopted e WHERE e.document = d.document AND e.at > d.at);

-- A backup of the current epoch that nobody destroyed, once: what the drill proved of it in the book and what a person said
-- about the same digest, where it lies and under which seal, are one row, and it stands for the person's statement.
CREATE VIEW current_backup AS
SELECT b.book, b.idx, b.at, b.wallet, b.holder, b.epoch, b.location, b.cipher, b.seal, b.backup, b.digest
FROM BackupMade b
JOIN current_epoch e ON e.wallet = b.wallet AND e.epoch = b.epoch
WHERE b.backup IS NOT NULL
  OR NOT EXISTS (
    SELECT 1 FROM BackupMade s
    WHERE s.backup IS NOT NULL AND s.digest = b.digest AND s.wallet = b.wallet AND s.holder = b.holder
  );

-- The wallets of the newest inventory that a person attested, one row each.
CREATE VIEW newest_inventory AS
SELECT i.book, i.idx, i.at, w.value AS wallet
FROM InventoryAttested i, json_each(i.wallets) w
WHERE i.at = (SELECT max(at) FROM InventoryAttested);

-- Each beginning of an epoch of a wallet's shares.
CREATE VIEW epoch_start AS
SELECT book, idx, at, wallet, 0 AS epoch, 'generated' AS how, ceremony FROM KeyGenerated
UNION ALL
SELECT book, idx, at, wallet, epoch_to, 'refreshed', "case" FROM KeyRefreshed
UNION ALL
SELECT book, idx, at, wallet, epoch_to, 'reshared', "case" FROM KeyReshared;

-- The tier in the newest word on a wallet.
CREATE VIEW current_tier AS
SELECT w.book, w.idx, w.wallet,
  coalesce(
    (SELECT r.tier FROM WalletReclassified r WHERE r.wallet = w.wallet ORDER BY r.idx DESC LIMIT 1),
    w.tier
  ) AS tier
FROM WalletOpened w;

-- What each cosigner runs under, by its newest capture: the party `cosigner:c1` holds shares as `c1`.
CREATE VIEW cosigner_setting AS
SELECT book, idx, at, party, substr(party, 10) AS holder, key, value, type
FROM latest_configuration
WHERE party LIKE 'cosigner:%';

-- Every cosigner that captured its configuration.
CREATE VIEW cosigner AS SELECT DISTINCT book, idx, at, party, holder FROM cosigner_setting;

-- A holder of shares that captured no configuration: the records do not tell under what it runs.
CREATE VIEW uncaptured_holder AS
SELECT h.book, min(h.idx) AS idx, h.holder
FROM current_holders h
WHERE h.holder NOT IN (SELECT holder FROM cosigner)
GROUP BY h.book, h.holder;

-- A ceremony whose record is whole: runbook, place, roles and checks are filled and each participant attested it.
CREATE VIEW whole_ceremony AS
SELECT c.book, c.idx, c.at, c.ceremony, c.participants, c.roles
FROM CeremonyHeld c
WHERE coalesce(c.runbook, '') <> '' AND coalesce(c.place, '') <> '' AND length(coalesce(c.roles, '')) > 2
  AND length(coalesce(c.checks, '')) > 2 AND coalesce(json_array_length(c.participants), 0) > 0
  AND json_array_length(coalesce(c.attestations, '[]')) >= json_array_length(c.participants);

-- A role from its grant until its end, if it ended.
CREATE VIEW role_span AS
SELECT g.book, g.idx, g.at, g.person, g.role, g.scope, g."case",
  (
    SELECT min(e.at) FROM RoleEnded e
    WHERE e.person = g.person AND e.role = g.role AND e.at >= g.at AND coalesce(e.scope, g.scope) = g.scope
  ) AS until
FROM RoleGranted g;

-- Who answers alarms: by role, or named by the newest rota.
CREATE VIEW on_call AS
SELECT person FROM key_role WHERE role = 'on_call'
UNION
SELECT p.value FROM newest_document d, json_each(coalesce(d.covers, '[]')) p WHERE d.kind = 'on_call_rota';

-- An alert, when a person on call took it, and when a person ended it with a disposition.
CREATE VIEW alert_life AS
SELECT r.book, r.idx, r.at, r.alert, r.rule, r.severity, r.subject,
  (
    SELECT min(a.at) FROM AlertAcknowledged a
    WHERE a.alert = r.alert AND a.at >= r.at AND a.person IN (SELECT person FROM on_call)
  ) AS taken_at,
  (
    SELECT min(c.at) FROM AlertClosed c
    WHERE c.alert = r.alert AND c.at >= r.at AND coalesce(c.disposition, '') <> ''
  ) AS closed_at
FROM AlertRaised r;

-- The time from each heartbeat to the next of its source; none after the newest.
CREATE VIEW heartbeat_gap AS
SELECT book, idx, source, at, lead(at) OVER (PARTITION BY book, source ORDER BY idx) AS next_at FROM Heartbeat;

-- A freeze, and the entry that lifted it, if one did.
CREATE VIEW freeze_span AS
SELECT f.book, f.idx, f.at, f.scope, json_extract(f.scope, '$.wallet') AS wallet,
  json_extract(f.scope, '$.agent') AS agent, f."by", f.cause,
  (SELECT min(u.idx) FROM Unfrozen u WHERE u.book = f.book AND u.scope = f.scope AND u.idx > f.idx) AS lifted_idx
FROM Frozen f;

-- The intervals, in seconds, that the newest review of the threat model chose, by name: `RiskReviewed.model` is an object.
CREATE VIEW chosen_interval AS
SELECT r.book, r.idx, r.at, i.key AS name, i.value AS seconds
FROM RiskReviewed r, json_each(CASE WHEN json_valid(r.model) THEN r.model ELSE '{}' END) i
WHERE r.at = (SELECT max(at) FROM RiskReviewed);

-- Each finding of each test, with how a person rated it and when it was dealt with.
CREATE VIEW test_finding AS
SELECT t.book, t.idx, t.at, t.test, t.kind, t.independent, f.value AS finding,
  (SELECT v.severity FROM VulnerabilityTriaged v WHERE v.finding = f.value ORDER BY v.at DESC LIMIT 1) AS severity,
  (SELECT v.due_at FROM VulnerabilityTriaged v WHERE v.finding = f.value ORDER BY v.at DESC LIMIT 1) AS due_at,
  (SELECT min(c.at) FROM FindingClosed c WHERE c.finding = f.value) AS closed_at
FROM TestPerformed t, json_each(coalesce(t.findings, '[]')) f;

-- The same for audits of contracts.
CREATE VIEW contract_finding AS
SELECT a.book, a.idx, a.at, a.contract, a.code_hash, f.value AS finding,
  (SELECT v.severity FROM VulnerabilityTriaged v WHERE v.finding = f.value ORDER BY v.at DESC LIMIT 1) AS severity,
  (SELECT min(c.at) FROM FindingClosed c WHERE c.finding = f.value) AS closed_at
FROM ContractAudited a, json_each(coalesce(a.findings, '[]')) f;

-- The newest look at a contract.
CREATE VIEW newest_observation AS
SELECT o.book, o.idx, o.at, o.contract, o.code_hash, o.implementation, o.owners, o.threshold, o.modules
FROM ContractObserved o
WHERE NOT EXISTS (SELECT 1 FROM ContractObserved p WHERE p.contract = o.contract AND p.idx > o.idx);

-- Duties that a person accepted with a signature of their own.
CREATE VIEW own_duty AS
SELECT book, idx, at, person, role, document FROM DutyAccepted WHERE signer = person;

-- What people did with their own hands, by name.
CREATE VIEW act_of_person AS
SELECT a.book, a.idx, a.at, e.person, 'approved' AS act FROM Approved a JOIN CredentialEnrolled e ON e.credential = a.credential
UNION ALL
SELECT book, idx, at, person, 'changed a party' FROM AdminActed
UNION ALL
SELECT c.book, c.idx, c.at, p.value, 'took part in a ceremony' FROM CeremonyHeld c, json_each(coalesce(c.participants, '[]')) p;

-- The first act of a person in a role that they still have.
CREATE VIEW first_act AS
SELECT a.book, a.idx, min(a.at) AS at, r.person, r.role, a.act
FROM key_role r
JOIN act_of_person a ON a.person = r.person AND a.at >= r.at
GROUP BY r.person, r.role;

-- A host that holds no share any more, and when its holder's next host was first seen.
CREATE VIEW left_host AS
SELECT p.book, min(p.idx) AS idx, p.host, min(q.at) AS left_at
FROM PlacementAttested p
JOIN PlacementAttested q ON q.wallet = p.wallet AND q.holder = p.holder AND q.host <> p.host AND q.idx > p.idx
WHERE p.host NOT IN (SELECT host FROM current_placement)
GROUP BY p.book, p.host;

-- A waiver that has compensating measures and an end. What it is for, its measures name.
CREATE VIEW granted_exception AS
SELECT book, idx, at, control, compensating, expires_at
FROM ExceptionGranted
WHERE coalesce(compensating, '') <> '' AND expires_at IS NOT NULL;

-- Renewals of shares, of either kind.
CREATE VIEW renewal AS
SELECT book, idx, at, wallet, "case", epoch_from, epoch_to, holders, confirmations FROM KeyRefreshed
UNION ALL
SELECT book, idx, at, wallet, "case", epoch_from, epoch_to, holders_after, confirmations FROM KeyReshared;

-- Wallets whose key or signatures were made by a version that an advisory names.
CREATE VIEW exposed AS
SELECT DISTINCT a.advisory, m.wallet
FROM AdvisoryReceived a, json_each(coalesce(a.versions, '[]')) v
JOIN (SELECT wallet, library FROM KeyGenerated UNION SELECT wallet, library FROM Signed) m
  ON m.library = a.component || ' ' || v.value;

-- Addresses that were proposed, for the list or as a recipient, and the part of each that is the address itself.
CREATE VIEW proposed_recipient AS
SELECT p.book, p.idx, p.at, p."case", p.chain, p.address,
  replace(replace(p.address, rtrim(p.address, replace(p.address, ':', '')), ''), '0x', '') AS bare
FROM (
  SELECT book, idx, at, "case", chain, recipient AS address FROM Judged WHERE recipient IS NOT NULL
  UNION ALL
  SELECT book, idx, at, "case", chain, address FROM AddressListed
) p;

-- Addresses that were listed or had to do with a wallet, since when.
CREATE VIEW known_recipient AS
SELECT k.chain, k.address, min(k.at) AS at,
  replace(replace(k.address, rtrim(k.address, replace(k.address, ':', '')), ''), '0x', '') AS bare
FROM (
  SELECT chain, address, at FROM AddressListed
  UNION ALL
  SELECT chain, counterparty, at FROM TransferObserved WHERE counterparty IS NOT NULL
) k
GROUP BY k.chain, k.address;

-- Each wallet that somebody suspects: `scope` is a wallet, a list of wallets, or `all`.
CREATE VIEW suspected_wallet AS
SELECT DISTINCT s.book, s.idx, s.at, s.subject, w.wallet
FROM CompromiseSuspected s, json_each(CASE WHEN json_valid(s.scope) THEN s.scope ELSE '["' || replace(s.scope, '"', '') || '"]' END) v
JOIN WalletOpened w ON w.wallet = v.value OR v.value = 'all';

-- A suspicion that an incident of the same subject, closed with that root cause, turned out not to be one.
CREATE VIEW false_alarm AS
SELECT s.book, s.idx, min(c.at) AS closed_at
FROM CompromiseSuspected s
JOIN IncidentClosed c ON c.incident = s.subject AND c.at >= s.at AND c.root_cause LIKE 'false alarm:%'
GROUP BY s.book, s.idx;

-- Where a wallet's money could go: a listed account of another wallet of ours, and how many holders both have.
CREATE VIEW refuge AS
SELECT w.wallet, l.address, l.usable_from, o.wallet AS other,
  (
    SELECT count(*) FROM current_holders h
    JOIN current_holders g ON g.holder = h.holder
    WHERE h.wallet = w.wallet AND g.wallet = o.wallet
  ) AS shared
FROM live_wallet w
JOIN WalletOpened o ON o.wallet <> w.wallet
JOIN AddressListed l ON l.address IN (SELECT a.value FROM json_each(coalesce(o.accounts, '[]')) a)
WHERE NOT EXISTS (SELECT 1 FROM AddressRemoved r WHERE r.address = l.address AND r.at > l.at);

-- The newest word of a person on where a holder's shares run, and under whose account.
CREATE VIEW holder_place AS
SELECT l.book, l.idx, l.at, l.holder, l.region, l.place, l.account
FROM HolderLocated l
WHERE NOT EXISTS (SELECT 1 FROM HolderLocated n WHERE n.holder = l.holder AND n.at > l.at);

-- A checklist from its opening: until when its last task is due, when it was done and when it was withdrawn, if it was.
CREATE VIEW checklist_life AS
SELECT o.book, o.idx, o.at, o.checklist, o.person, o."change", o.post, o.template, o.items,
  (
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', max(json_extract(i.value, '$.due_at')) / 1000.0, 'unixepoch')
    FROM json_each(o.items) i
  ) AS due_at,
  (SELECT min(c.at) FROM ChecklistClosed c WHERE c.checklist = o.checklist AND c."end" = 'done') AS done_at,
  (SELECT min(c.at) FROM ChecklistClosed c WHERE c.checklist = o.checklist AND c."end" <> 'done') AS withdrawn_at
FROM ChecklistOpened o;

-- A key role that was granted or ended, and the newest checklist of that person which is about such a change: opened at most
-- 90 days before it or 30 days after it, and not withdrawn.
CREATE VIEW role_change AS
SELECT r.book, r.idx, r.at, r.person, r.role, r.how,
  (
    SELECT l.checklist FROM checklist_life l
    WHERE l.person = r.person AND l."change" IN (r.how, 'mover') AND l.withdrawn_at IS NULL
      AND julianday(l.at) BETWEEN julianday(r.at) - 90 AND julianday(r.at) + 30
    ORDER BY l.idx DESC LIMIT 1
  ) AS checklist
FROM (
  SELECT book, idx, at, person, role, 'joiner' AS how FROM RoleGranted
  UNION ALL
  SELECT book, idx, at, person, role, 'leaver' FROM RoleEnded
) r;
