"""SQL functions of the first migration."""

APPLY_VOTE = """
CREATE FUNCTION apply_vote(p_event text, p_answer uuid, p_person bigint, p_platform text, p_channel text, p_message text, p_source text,
                           p_token text, p_kind text, p_value text, p_at timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
-- One transaction an event: idempotent (vote_events key), order-free (newer event time wins), one vote a person.
BEGIN
  INSERT INTO vote_events (event_id, answer_id, person_id, platform, channel, message_id, source, token, kind, value, at)
       VALUES (p_event, p_answer, p_person, p_platform, p_channel, p_message, p_source, p_token, p_kind, p_value, p_at)
  ON CONFLICT (event_id) DO UPDATE SET answer_id = excluded.answer_id
   WHERE vote_events.answer_id IS NULL AND excluded.answer_id IS NOT NULL;  -- heard before its message was known: joined now
  IF NOT FOUND OR p_answer IS NULL THEN RETURN false; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended(p_answer::text || p_person::text, 0));
  INSERT INTO signals AS s (answer_id, person_id, source, message_id, token, value, present, at, event_id)
       VALUES (p_answer, p_person, p_source, p_message, p_token, p_value, p_kind = 'set', p_at, p_event)
  ON CONFLICT (answer_id, person_id, source, message_id, token) DO UPDATE
     SET value = excluded.value, present = excluded.present, at = excluded.at, event_id = excluded.event_id
   WHERE (excluded.at, excluded.event_id) > (s.at, s.event_id);
  INSERT INTO votes AS o (answer_id, person_id, value, source, first_at, changed_at)
  SELECT p_answer, p_person, n.value, coalesce(n.source, p_source), p_at, p_at
    FROM (SELECT 1) one LEFT JOIN LATERAL (SELECT value, source FROM signals
         WHERE answer_id = p_answer AND person_id = p_person AND present ORDER BY at DESC, event_id DESC LIMIT 1) n ON true
  ON CONFLICT (answer_id, person_id) DO UPDATE
     SET value = excluded.value, source = excluded.source, changed_at = greatest(o.changed_at, excluded.changed_at),
         first_at = least(o.first_at, excluded.first_at), changes = o.changes + 1
   WHERE o.value IS DISTINCT FROM excluded.value;
  RETURN true;
END $$
"""
