package dev.nibble.data.format;

import dev.nibble.data.rows.Row;
import dev.nibble.errors.Remedy;
import java.util.List;
import java.util.stream.Stream;

/**
 * Instruction rows: the columns {@code instruction}, {@code input} (optional, may be empty) and
 * {@code output}. The prompt is filled from the first two, and {@code output} is the answer.
 *
 * @param withInput the prompt of a row with input
 * @param withoutInput the prompt of a row without
 * @param names names of the columns
 */
public record Alpaca(PromptTemplate withInput, PromptTemplate withoutInput, Columns names)
    implements PromptFormat {

  /**
   * Names of the columns.
   *
   * @param instruction the task
   * @param input the text that it is about
   * @param output the answer
   */
  public record Columns(String instruction, String input, String output) {
    /** As Stanford Alpaca calls them. */
    public static final Columns STANDARD = new Columns("instruction", "input", "output");

    /** As TRL and OpenAI call a prompt and what follows it; there is no input. */
    public static final Columns PROMPT_COMPLETION = new Columns("prompt", "", "completion");
  }

  /** Columns that belong to the question where rows have them: a system prompt, earlier turns. */
  private static final List<String> UNUSED = List.of("system", "history");

  private static final Alpaca STANDARD =
      new Alpaca(
          new PromptTemplate(
              """
              Below is an instruction that describes a task, paired with an input that provides further context. \
              Write a response that appropriately completes the request.

              ### Instruction:
              {instruction}

              ### Input:
              {input}

              ### Response:
              """),
          new PromptTemplate(
              """
              Below is an instruction that describes a task. \
              Write a response that appropriately completes the request.

              ### Instruction:
              {instruction}

              ### Response:
              """),
          Columns.STANDARD);

  /** The prompt of Stanford Alpaca, with the answer on a line of its own. */
  public static Alpaca standard() {
    return STANDARD;
  }

  /** One own prompt for rows with and without input. */
  public static Alpaca with(PromptTemplate prompt) {
    return new Alpaca(prompt, prompt, Columns.STANDARD);
  }

  /** The same prompts for rows whose columns have these names. */
  public Alpaca withColumns(Columns others) {
    return new Alpaca(withInput, withoutInput, others);
  }

  @Override
  public Example example(Row row) {
    Media.refuse(row, texts());
    refuseUnused(row);
    String input = row.optionalText(names.input()).orElse("");
    PromptTemplate template = input.isEmpty() ? withoutInput : withInput;
    String instruction = template.asksInstruction() ? row.text(names.instruction()) : "";
    return new Example(
        List.of(
            new Segment(template.fill(instruction, input), false),
            new Segment(row.text(names.output()), true)));
  }

  /** What a chat template has a place for, and this prompt has none. */
  private void refuseUnused(Row row) {
    for (String column : UNUSED) {
      if (!texts().contains(column)
          && row.value(column).filter(value -> !isEmpty(value)).isPresent()) {
        throw row.invalid(
            "column '%s' has no place in this prompt".formatted(column),
            Remedy.CONVERSATIONS_OR_REMOVE_COLUMN);
      }
    }
  }

  static boolean isEmpty(Object value) {
    return value instanceof String text ? text.isBlank() : value.equals(List.of());
  }

  private List<String> texts() {
    return List.of(names.instruction(), names.input(), names.output());
  }

  @Override
  public List<String> columns() {
    return Stream.concat(Media.with(texts()).stream(), UNUSED.stream()).toList();
  }

  @Override
  public String unsupervisedReason() {
    return "every %s lies beyond the largest length or is empty".formatted(names.output());
  }
}
