-- What is pinned in a room, and pinning as one of the things that stand in a timeline.
CREATE INDEX pins_in_room ON entries (room, pinned) WHERE pinned IS NOT NULL;
DROP INDEX events_in_room;
CREATE INDEX events_in_room ON entries (room, seq) WHERE kind BETWEEN 5 AND 13;
