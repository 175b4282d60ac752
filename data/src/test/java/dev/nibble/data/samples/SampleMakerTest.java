package dev.nibble.data.samples;

import static dev.nibble.data.Rows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.CharTokenizer;
import dev.nibble.data.Golden;
import dev.nibble.data.Sample;
import dev.nibble.data.chat.Shortfall;
import dev.nibble.data.format.Alpaca;
import dev.nibble.data.format.Example;
import dev.nibble.data.format.PromptTemplate;
import dev.nibble.data.format.PromptText;
import dev.nibble.data.format.Segment;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.data.tokenizer.Tokenizers;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SampleMakerTest {
  private static final Alpaca PLAIN = Alpaca.with(new PromptTemplate("{instruction}>"));
  private static final Row ROW = row("instruction", "héllo👋", "output", "wörld");

  /** They were trained on as an end of text alone. */
  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\n"})
  void leavesEmptyAnswersOutUnlessAskedFor(String answer) {
    Row given = row("instruction", "Hi", "output", answer);
    SampleMaker maker =
        new SampleMaker(new CharTokenizer(), Alpaca.standard(), 1000, ExcessLength.DROP, false);
    assertThat(maker.make(given))
        .isEqualTo(new SampleOutcome.Unsupervised(Set.of(Shortfall.EMPTY)));
    assertThat(maker.learningEmptyAnswers().make(given))
        .isInstanceOfSatisfying(
            SampleOutcome.Kept.class,
            kept -> assertThat(kept.sample().supervisedTokens()).isEqualTo(answer.length() + 1));
  }

  @Test
  void masksThePromptAndEndsWithEos() {
    Sample sample = kept(maker(new CharTokenizer(), 64, ExcessLength.DROP).make(ROW));
    assertThat(shown(sample)).isEqualTo("\u0001héllo👋>[wörld\u0002]");
    assertThat(sample.supervisedTokens()).isEqualTo(6);
  }

  /**
   * The pairs are hé ll o👋 >w ör ld, each shown by its first character; ">w" holds the start of
   * the answer.
   */
  @Test
  void tokensAcrossTheBorderCountAsAnswer() {
    SampleOutcome outcome = maker(new CharTokenizer(false, 2), 64, ExcessLength.DROP).make(ROW);
    assertThat(shown(kept(outcome))).isEqualTo("hlo[>öl\u0002]");
    assertThat(((SampleOutcome.Kept) outcome).shortfalls()).containsExactly(Shortfall.TOKEN);
    outcome = maker(new CharTokenizer(), 64, ExcessLength.DROP).make(ROW);
    assertThat(((SampleOutcome.Kept) outcome).shortfalls()).isEmpty();
  }

  @Test
  void textsThatCannotBeTokenisedNameTheirRow() {
    try (Tokenizer tokenizer = Tokenizers.open(Golden.path("tokenizers", "qwen_like"))) {
      SampleMaker maker = maker(tokenizer, 64, ExcessLength.DROP);
      Row cut = row("instruction", "Describe \ude00 this", "output", "A clear answer.");
      assertThatThrownBy(() -> maker.make(cut))
          .isInstanceOf(InvalidDataset.class)
          .hasMessageStartingWith("test.jsonl, row 7: the text has half of a character")
          .hasMessageContaining("\\ude00, after 'Describe '");
    }
  }

  @Test
  void supervisesPromptsOnRequest() {
    SampleMaker maker = new SampleMaker(new CharTokenizer(), PLAIN, 64, ExcessLength.DROP, true);
    assertThat(kept(maker.make(ROW)).supervisedTokens()).isEqualTo(13);
  }

  @Test
  void leavesOutOrCutsOrRefusesLongSamples() {
    assertThat(maker(new CharTokenizer(), 13, ExcessLength.DROP).make(ROW))
        .isEqualTo(new SampleOutcome.TooLong(14));
    SampleOutcome cut = maker(new CharTokenizer(), 10, ExcessLength.TRUNCATE).make(ROW);
    assertThat(shown(kept(cut))).isEqualTo("\u0001héllo👋>[wö]");
    assertThat(((SampleOutcome.Kept) cut).truncated()).isTrue();
    assertThat(maker(new CharTokenizer(), 8, ExcessLength.TRUNCATE).make(ROW))
        .isEqualTo(new SampleOutcome.Unsupervised(Set.of()));
    assertThatThrownBy(() -> maker(new CharTokenizer(), 13, ExcessLength.RAISE).make(ROW))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("test.jsonl, row 7")
        .hasMessageContaining("14 tokens")
        .hasMessageContaining("at most 13 are allowed");
  }

  @Test
  void doesNotDoubleBosOrEos() {
    SampleMaker maker = maker(new CharTokenizer(), 64, ExcessLength.DROP);
    Example example =
        new Example(List.of(new Segment("\u0001q", false), new Segment("a\u0002", true)));
    assertThat(shown(maker.sample(example))).isEqualTo("\u0001q[a\u0002]");
    assertThat(maker.prompt(new PromptText(example.prompt(), true, "")))
        .containsExactly(CharTokenizer.BOS, 'q');
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama2_like", "llama3_like", "qwen_like"})
  void promptAndAnswerMeetExactlyWithRealTokenizers(String name) {
    try (Tokenizer tokenizer = Tokenizers.open(Golden.path("tokenizers", name))) {
      SampleMaker maker =
          new SampleMaker(tokenizer, Alpaca.standard(), 512, ExcessLength.RAISE, false);
      Row row = row("instruction", "Ünïcode 河 👋", "input", "naïve", "output", "The answer: 河 42");
      Sample sample = kept(maker.make(row));
      int[] prompt = maker.prompt(Alpaca.standard().question(row));
      int[] answer = supervised(sample);
      assertThat(Arrays.copyOf(sample.tokens(), prompt.length)).isEqualTo(prompt);
      assertThat(prompt.length + answer.length).isEqualTo(sample.length());
      assertThat(answer[answer.length - 1]).isEqualTo(tokenizer.special().eos().getAsInt());
      assertThat(tokenizer.decode(answer, true).strip()).isEqualTo("The answer: 河 42");
      tokenizer
          .special()
          .bos()
          .ifPresent(bos -> {
            assertThat(sample.tokens()[0]).isEqualTo(bos);
            assertThat(sample.tokens()[1]).isNotEqualTo(bos);
          });
    }
  }

  private static SampleMaker maker(Tokenizer tokenizer, int length, ExcessLength excess) {
    return new SampleMaker(tokenizer, PLAIN, length, excess, false);
  }

  private static Sample kept(SampleOutcome outcome) {
    assertThat(outcome).isInstanceOf(SampleOutcome.Kept.class);
    return ((SampleOutcome.Kept) outcome).sample();
  }

  private static int[] supervised(Sample sample) {
    return IntStream.range(0, sample.length())
        .filter(i -> sample.supervised()[i])
        .map(i -> sample.tokens()[i])
        .toArray();
  }

  /** The text with the supervised tokens in brackets. */
  private static String shown(Sample sample) {
    StringBuilder s = new StringBuilder();
    for (int i = 0; i < sample.length(); i++) {
      boolean before = i > 0 && sample.supervised()[i - 1];
      if (sample.supervised()[i] != before) {
        s.append(before ? ']' : '[');
      }
      s.appendCodePoint(sample.tokens()[i]);
    }
    return s.append(sample.supervised()[sample.length() - 1] ? "]" : "").toString();
  }
}
