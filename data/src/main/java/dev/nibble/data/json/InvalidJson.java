package dev.nibble.data.json;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/** Text that is not JSON; the problem says what was expected and what came, without the place. */
public final class InvalidJson extends NibbleException {
  private static final long serialVersionUID = 1L;

  private final int line;
  private final int column;

  InvalidJson(String problem, int line, int column) {
    super(Fault.USER, problem);
    this.line = line;
    this.column = column;
  }

  /** The line of the text, from 1. */
  public int line() {
    return line;
  }

  /** The character in its line, from 1. */
  public int column() {
    return column;
  }
}
