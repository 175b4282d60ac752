package dev.nibble.api.machine;

import java.util.Optional;

/**
 * The result of one check.
 *
 * @param name of the thing checked
 * @param status how it is
 * @param text what was found
 * @param remedy how to fix it, if something is wrong
 */
public record Finding(String name, Status status, String text, Optional<String> remedy) {

  /** The outcome of a check. */
  public enum Status {
    /** As it should be. */
    OK,
    /** It works, and could be better. */
    WARNING,
    /** It does not work. */
    PROBLEM
  }

  static Finding ok(String name, String text) {
    return new Finding(name, Status.OK, text, Optional.empty());
  }

  static Finding warning(String name, String text, String remedy) {
    return new Finding(name, Status.WARNING, text, Optional.of(remedy));
  }

  static Finding problem(String name, String text, String remedy) {
    return new Finding(name, Status.PROBLEM, text, Optional.of(remedy));
  }
}
