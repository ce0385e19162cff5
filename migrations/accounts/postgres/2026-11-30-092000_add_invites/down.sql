DROP TABLE arrivals;
DROP TABLE invites;
