package dev.nibble.data.format;

import dev.nibble.data.rows.Row;
import java.util.List;

/**
 * Instruction rows: the columns {@code instruction}, {@code input} (optional, may be empty) and
 * {@code output}. The prompt is filled from the first two, and {@code output} is the answer.
 *
 * @param withInput the prompt of a row with input
 * @param withoutInput the prompt of a row without
 * @param columns names of the columns
 */
public record Alpaca(PromptTemplate withInput, PromptTemplate withoutInput, Columns columns)
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
  }

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
  public Alpaca withColumns(Columns names) {
    return new Alpaca(withInput, withoutInput, names);
  }

  @Override
  public Example example(Row row) {
    String input = row.optionalText(columns.input()).orElse("");
    PromptTemplate template = input.isEmpty() ? withoutInput : withInput;
    String instruction = template.asksInstruction() ? row.text(columns.instruction()) : "";
    return new Example(
        List.of(
            new Segment(template.fill(instruction, input), false),
            new Segment(row.text(columns.output()), true)));
  }

  @Override
  public List<String> requiredColumns() {
    return withoutInput.asksInstruction()
        ? List.of(columns.instruction(), columns.output())
        : List.of(columns.output());
  }

  @Override
  public String unsupervisedReason() {
    return "every %s lies beyond the largest length or is empty".formatted(columns.output());
  }
}
