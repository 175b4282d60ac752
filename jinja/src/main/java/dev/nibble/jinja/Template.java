package dev.nibble.jinja;

import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;

/**
 * A parsed template; safe for use by several threads.
 *
 * <p>It renders as Jinja2 does in transformers: sandboxed, with trim_blocks, lstrip_blocks, loop
 * controls, {@code {% generation %}}, {@code raise_exception} and {@code strftime_now}. Steps,
 * length and depth of a rendering are limited.
 */
public final class Template {
  private final String name;
  private final List<Statement> statements;
  private final boolean marksGeneration;
  private final Limits limits;

  private Template(
      String name, List<Statement> statements, boolean marksGeneration, Limits limits) {
    this.name = name;
    this.statements = statements;
    this.marksGeneration = marksGeneration;
    this.limits = limits;
  }

  /**
   * Parses a template.
   *
   * @param name for messages
   * @throws JinjaException when the source is no template or uses what is not supported
   */
  public static Template parse(String name, String source) {
    return parse(name, source, Limits.STANDARD);
  }

  static Template parse(String name, String source, Limits limits) {
    try {
      StatementParser.Result result = StatementParser.parse(source);
      return new Template(name, result.statements(), result.marksGeneration(), limits);
    } catch (Failure e) {
      throw new JinjaException(name, e);
    } catch (StackOverflowError e) { // a number of many digits, whose pattern recurs for each
      throw new JinjaException(name, Failure.limit("a number is too long"));
    }
  }

  /** Its name, for messages. */
  public String name() {
    return name;
  }

  /** Whether it marks what the assistant generates. */
  public boolean marksGeneration() {
    return marksGeneration;
  }

  /**
   * Renders it.
   *
   * @param variables the variables of the template
   * @param now the time that {@code strftime_now} gives
   * @throws JinjaException when it fails or calls {@code raise_exception}
   */
  public Rendering render(Map<String, Value> variables, LocalDateTime now) {
    try {
      return new Evaluator(limits).render(statements, now, variables);
    } catch (Failure e) {
      throw new JinjaException(name, e);
    } catch (StackOverflowError e) { // a chain of generators, each of which asks the one before
      throw new JinjaException(name, Failure.limit("the template nests too deep"));
    }
  }
}
