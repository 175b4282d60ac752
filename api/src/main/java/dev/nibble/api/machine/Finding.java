package dev.nibble.api.machine;

import java.util.Optional;

/**
 * What a check found.
 *
 * @param name of what was looked at
 * @param status how it is
 * @param text what was found
 * @param remedy what to do about it, where something is amiss
 */
public record Finding(String name, Status status, String text, Optional<String> remedy) {

  /** How something is. */
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
