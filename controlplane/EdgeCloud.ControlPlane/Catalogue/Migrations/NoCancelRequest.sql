-- A cancelled export is over at once, so that nothing is read of this.
alter table exports drop column cancel_requested;
