package dev.nibble.data.format;

import dev.nibble.data.chat.Shortfall;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A row as text.
 *
 * @param segments the text in order; neighbours may both be supervised
 * @param addsSpecialTokens whether the tokenizer adds its own, and an end-of-sequence token follows
 *     a last answer; false where the text has them already
 * @param shortfalls what of the answers is not in a supervised segment though the row has it
 */
public record Example(
    List<Segment> segments, boolean addsSpecialTokens, Set<Shortfall> shortfalls) {
  public Example {
    segments = List.copyOf(segments);
    shortfalls = Set.copyOf(shortfalls);
  }

  /** Text with all of its answers. */
  public Example(List<Segment> segments, boolean addsSpecialTokens) {
    this(segments, addsSpecialTokens, Set.of());
  }

  /** Plain text. */
  public Example(List<Segment> segments) {
    this(segments, true);
  }

  /** The whole text. */
  public String text() {
    return join(segments);
  }

  /** The prompt of the last answer: the text before the last supervised segment. */
  public String prompt() {
    return join(segments.subList(0, answerStart()));
  }

  /** The last answer, which follows {@link #prompt}, without the end-of-sequence token. */
  public String answer() {
    return join(segments.subList(answerStart(), answerEnd()));
  }

  /** Whether the text ends with an answer after which an end-of-sequence token is to follow. */
  public boolean endsWithAnswer() {
    return addsSpecialTokens && !segments.isEmpty() && segments.getLast().supervised();
  }

  private int answerEnd() {
    int end = segments.size();
    while (end > 0 && !segments.get(end - 1).supervised()) {
      end--;
    }
    return end == 0 ? segments.size() : end;
  }

  private int answerStart() {
    int start = answerEnd();
    while (start > 0 && segments.get(start - 1).supervised()) {
      start--;
    }
    return start;
  }

  private static String join(List<Segment> segments) {
    return segments.stream().map(Segment::text).collect(Collectors.joining());
  }
}
