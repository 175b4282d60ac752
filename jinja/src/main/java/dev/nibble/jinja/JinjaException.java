package dev.nibble.jinja;

/** A template that cannot be read or rendered; the message names the template and the place. */
public final class JinjaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Kinds of errors. */
  public enum Kind {
    /** The text is no Jinja template. */
    SYNTAX,
    /** The template asks for a part of Jinja or Python that Nibble does not have. */
    UNSUPPORTED,
    /** Something that is undefined was used. */
    UNDEFINED,
    /** Something was used that the sandbox does not give away. */
    SECURITY,
    /** The template itself called {@code raise_exception}. */
    RAISED,
    /** An operation does not take values of this type. */
    TYPE,
    /** An operation does not take this value. */
    VALUE,
    /** The template takes too many steps, writes too much or nests too deeply. */
    LIMIT
  }

  private final Kind kind;
  private final String reason;

  JinjaException(String template, Failure failure) {
    super(
        "%s, line %d, column %d: %s"
            .formatted(
                template, failure.place().line(), failure.place().column(), failure.reason()),
        failure);
    this.kind = failure.kind();
    this.reason = failure.reason();
  }

  /** The kind of error. */
  public Kind kind() {
    return kind;
  }

  /** The message without the place. */
  public String reason() {
    return reason;
  }
}
