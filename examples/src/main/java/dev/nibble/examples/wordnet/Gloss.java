package dev.nibble.examples.wordnet;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A gloss in its two parts. Examples are the quoted spans from the first quotation mark that
 * follows a semicolon, colon or comma; quotation marks before that belong to the definition ({@code
 * expressed as "on behalf of"}). Some twenty glosses miss a quotation mark; their examples come out
 * cut or joined, their definitions are right.
 */
record Gloss(String definition, List<String> examples) {
  private static final Pattern FIRST_EXAMPLE = Pattern.compile("[;:,]\\s*\"");
  private static final Pattern QUOTED = Pattern.compile("\"([^\"]+)\"?");

  static Gloss parse(String gloss) {
    Matcher first = FIRST_EXAMPLE.matcher(gloss);
    if (!first.find()) {
      return new Gloss(withoutLastSemicolon(gloss), List.of());
    }
    List<String> examples = new ArrayList<>();
    Matcher quoted = QUOTED.matcher(gloss).region(first.end() - 1, gloss.length());
    while (quoted.find()) {
      String example = quoted.group(1).strip();
      if (example.chars().anyMatch(Character::isLetter)) {
        examples.add(example);
      }
    }
    return new Gloss(withoutLastSemicolon(gloss.substring(0, first.start())), examples);
  }

  private static String withoutLastSemicolon(String text) {
    String s = text.strip();
    while (s.endsWith(";")) {
      s = s.substring(0, s.length() - 1).stripTrailing();
    }
    return s;
  }
}
