package dev.nibble.errors;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Parent of the exceptions that Nibble throws on purpose. Their messages are written for users:
 * what was expected, what was found, and where. Wrong use of Nibble's own classes is an {@link
 * IllegalArgumentException} or {@link IllegalStateException} instead, which no user should ever
 * see.
 */
public abstract class NibbleException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Fault fault;
  private final String problem;
  private final @Nullable Remedy remedy;

  /** With the problem alone. */
  protected NibbleException(Fault fault, String problem) {
    this(fault, problem, Optional.empty());
  }

  /** With the problem and its cause. */
  protected NibbleException(Fault fault, String problem, Throwable cause) {
    super(problem, cause);
    this.fault = fault;
    this.problem = problem;
    this.remedy = null;
  }

  /** With the problem and what would avoid it. */
  protected NibbleException(Fault fault, String problem, Optional<Remedy> remedy) {
    super(remedy.map(r -> r.after(problem)).orElse(problem));
    this.fault = fault;
    this.problem = problem;
    this.remedy = remedy.orElse(null);
  }

  /** With the problem, what would avoid it, and its cause. */
  protected NibbleException(Fault fault, String problem, Optional<Remedy> remedy, Throwable cause) {
    super(remedy.map(r -> r.after(problem)).orElse(problem), cause);
    this.fault = fault;
    this.problem = problem;
    this.remedy = remedy.orElse(null);
  }

  /** Whose fault it is. */
  public final Fault fault() {
    return fault;
  }

  /** The message without the remedy. */
  public final String problem() {
    return problem;
  }

  /**
   * What would avoid the error. {@link #getMessage} ends with it in the library's words; a caller
   * whose users set values elsewhere, such as in a recipe, gives it in theirs.
   */
  public final Optional<Remedy> remedy() {
    return Optional.ofNullable(remedy);
  }

  /** The message with the remedy in other words. */
  public final String messageWith(String remedyWords) {
    return Remedy.joined(problem, remedyWords);
  }
}
