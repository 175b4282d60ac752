package dev.nibble.data.format;

import dev.nibble.data.rows.Row;
import java.util.List;

/**
 * Instruction rows: the columns {@code instruction}, {@code input} (optional, may be empty) and
 * {@code output}. The prompt is filled from the first two, and {@code output} is the answer.
 *
 * @param withInput the prompt of a row with input
 * @param withoutInput the prompt of a row without
 */
public record Alpaca(PromptTemplate withInput, PromptTemplate withoutInput)
    implements PromptFormat {
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
              """));

  /** The prompt of Stanford Alpaca, with the answer on a line of its own. */
  public static Alpaca standard() {
    return STANDARD;
  }

  /** One own prompt for rows with and without input. */
  public static Alpaca with(PromptTemplate prompt) {
    return new Alpaca(prompt, prompt);
  }

  @Override
  public Example example(Row row) {
    String instruction = row.text("instruction");
    String input = row.optionalText("input").orElse("");
    String prompt = (input.isEmpty() ? withoutInput : withInput).fill(instruction, input);
    return new Example(List.of(new Segment(prompt, false), new Segment(row.text("output"), true)));
  }

  @Override
  public List<String> requiredColumns() {
    return List.of("instruction", "output");
  }
}
