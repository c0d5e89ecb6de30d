-- What the words of the predicates mean, as read-only views over verified entries. Every view is one definition of the
-- evidence model (`wss-draft.json`, definitions). `book` and `idx` are those of the entry that the row rests on.

-- A case with a judgment that is no denial and, where it requires quorums, approvals by enough distinct members, each of
-- the judged intent, each unexpired when it was placed, each made with a live credential.
CREATE VIEW duly_approved_case AS
SELECT j.book, j.idx, j.at, j."case"
FROM Judged j
WHERE json_extract(j.judgment, '$.answer') IS NOT 'deny'
  AND coalesce(j.quorum_m, 0) <= (
    SELECT count(DISTINCT a.approver)
    FROM Approved a
    WHERE a."case" = j."case" AND a.intent = j.intent AND a.verdict = 'approve' AND a.at < a.expires_at
      AND a.approver IN (SELECT value FROM json_each(coalesce(j.quorum_members, '[]')))
      AND NOT EXISTS (
        SELECT 1 FROM CredentialRevoked r WHERE r.credential = a.credential AND r.at <= a.at
      )
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

-- A document of a kind in force: adopted, not yet due for review.
CREATE VIEW document_in_force AS
SELECT d.book, d.idx, d.at, d.document, d.kind, d.review_due FROM DocumentAdopted d;

-- A backup of the current epoch that nobody destroyed.
CREATE VIEW current_backup AS
SELECT b.book, b.idx, b.at, b.wallet, b.holder, b.epoch, b.location, b.cipher, b.seal, b.backup, b.digest
FROM BackupMade b
JOIN current_epoch e ON e.wallet = b.wallet AND e.epoch = b.epoch;

-- The wallets of the newest inventory that a person attested, one row each.
CREATE VIEW newest_inventory AS
SELECT i.book, i.idx, i.at, w.value AS wallet
FROM InventoryAttested i, json_each(i.wallets) w
WHERE i.at = (SELECT max(at) FROM InventoryAttested);
