package dev.nibble.data.format;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.errors.NearestName;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A prompt with the placeholders {@code {instruction}} and {@code {input}}; other braces are plain
 * text unless they enclose one word.
 */
public record PromptTemplate(String text) {
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{([A-Za-z_]+)}");
  private static final List<String> KNOWN = List.of("instruction", "input");

  /** The instruction as it is. */
  public static final PromptTemplate INSTRUCTION = new PromptTemplate("{instruction}");

  public PromptTemplate {
    Matcher m = PLACEHOLDER.matcher(text);
    boolean any = false;
    while (m.find()) {
      String name = m.group(1);
      if (!KNOWN.contains(name)) {
        throw new InvalidDataset(
            "unknown placeholder {%s} in the prompt template; known are {instruction} and {input}.%s"
                .formatted(name, NearestName.hint(KNOWN, name)));
      }
      any = true;
    }
    if (!any) {
      throw new InvalidDataset(
          "the prompt template has neither {instruction} nor {input}, so every row would ask the same");
    }
  }

  /** Whether the instruction is part of the prompt. */
  boolean asksInstruction() {
    return text.contains("{instruction}");
  }

  /** Fills the placeholders; braces within the values stay as they are. */
  String fill(String instruction, String input) {
    Map<String, String> values = Map.of("instruction", instruction, "input", input);
    return PLACEHOLDER
        .matcher(text)
        .replaceAll(m -> Matcher.quoteReplacement(values.getOrDefault(m.group(1), "")));
  }
}
