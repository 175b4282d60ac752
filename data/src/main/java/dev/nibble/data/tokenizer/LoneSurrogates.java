package dev.nibble.data.tokenizer;

/**
 * Halves of characters. Some characters, such as emoji, are a pair of surrogates in UTF-16 and in
 * JSON's escapes; one of them alone, as a text cut between the two has it, is no character and has
 * no form in UTF-8. The native library would read the whole text as something else.
 */
final class LoneSurrogates {
  private static final int SHOWN = 24;

  private LoneSurrogates() {}

  /**
   * Refuses a text with a half of a character.
   *
   * @throws InvalidText that says where it is
   */
  static void refuse(String text) {
    for (int i = 0, size; i < text.length(); i += size) {
      char c = text.charAt(i);
      size = Character.charCount(text.codePointAt(i));
      if (size == 1 && Character.isSurrogate(c)) {
        throw new InvalidText(
            "the text has half of a character, the lone surrogate \\u%04x, %s. An emoji was cut in two there: repair or remove it"
                .formatted((int) c, place(text, i)));
      }
    }
  }

  private static String place(String text, int at) {
    int from = Math.max(0, at - SHOWN);
    if (from < at && Character.isLowSurrogate(text.charAt(from))) {
      from++;
    }
    String before = text.substring(from, at).replace("\n", "\\n");
    return before.isEmpty()
        ? "at its start"
        : "after '%s%s'".formatted(from > 0 ? "..." : "", before);
  }
}
