package dev.nibble.compute.weights;

import java.util.Optional;

/**
 * Hadamard matrices: entries of 1 and -1, rows orthogonal to each other. Of order 1, those of
 * Paley, and one of Williamson of order 172, which 11008 = 64 * 172 needs.
 *
 * <ul>
 *   <li>Paley I, of order q + 1 for a prime q = 3 mod 4: S + I, with S = [[0, 1], [-1, C]] and C_ij
 *       = chi(i - j), 1 for squares modulo q, -1 for others and 0 for 0
 *   <li>Paley II, of order 2 (q + 1) for a prime q = 1 mod 4: each entry of S = [[0, 1], [1, C]]
 *       times [[1, 1], [1, -1]], and [[1, -1], [-1, -1]] in the place of the zeros
 *   <li>Williamson: [[A, B, C, D], [-B, A, -D, C], [-C, D, A, -B], [-D, -C, B, A]] of four
 *       symmetric circulant matrices whose squares add up to 172 times the identity
 * </ul>
 */
final class HadamardMatrices {
  private static final int WILLIAMSON = 172;

  /** Of the circulant matrices of order 43. */
  private static final int CIRCULANT = WILLIAMSON / 4;

  /**
   * Entry i of a circulant's first row is 1 or -1 by the class of i: the classes are the cosets of
   * {1, 6, 7, 36, 37, 42} in the multiplicative group modulo 43, 3^c times it for c from 0 to 6,
   * and bit c says 1.
   */
  private static final int[] CLASSES = {15, 38, 58, 108};

  private static final int[] COSET = {1, 6, 7, 36, 37, 42};

  private HadamardMatrices() {}

  /** A matrix by rows; empty where none of these is of that order. */
  static Optional<byte[][]> of(int order) {
    if (order == 1) {
      return Optional.of(new byte[][] {{1}});
    }
    if (order == WILLIAMSON) {
      return Optional.of(williamson());
    }
    if (order % 4 != 0) {
      return Optional.empty();
    }
    if (isPrime(order - 1)) {
      return Optional.of(paleyOne(order - 1));
    }
    int q = order / 2 - 1;
    return q % 4 == 1 && isPrime(q) ? Optional.of(paleyTwo(q)) : Optional.empty();
  }

  private static boolean isPrime(int n) {
    for (int d = 2; d * d <= n; d++) {
      if (n % d == 0) {
        return false;
      }
    }
    return n > 1;
  }

  /** [[0, 1], [sign, C]]. */
  private static int[][] core(int q, int sign) {
    int[] chi = new int[q];
    for (int i = 1; i < q; i++) {
      chi[i] = -1;
    }
    for (int i = 1; i < q; i++) {
      chi[(int) ((long) i * i % q)] = 1;
    }
    int[][] s = new int[q + 1][q + 1];
    for (int i = 1; i <= q; i++) {
      s[0][i] = 1;
      s[i][0] = sign;
      for (int j = 1; j <= q; j++) {
        s[i][j] = chi[Math.floorMod(i - j, q)];
      }
    }
    return s;
  }

  private static byte[][] paleyOne(int q) {
    int[][] s = core(q, -1);
    byte[][] h = new byte[q + 1][q + 1];
    for (int i = 0; i <= q; i++) {
      for (int j = 0; j <= q; j++) {
        h[i][j] = (byte) (i == j ? 1 : s[i][j]);
      }
    }
    return h;
  }

  private static byte[][] paleyTwo(int q) {
    int[][] s = core(q, 1);
    byte[][] h = new byte[2 * q + 2][2 * q + 2];
    for (int i = 0; i < h.length; i++) {
      for (int j = 0; j < h.length; j++) {
        int x = s[i / 2][j / 2];
        boolean both = i % 2 == 1 && j % 2 == 1;
        boolean first = i % 2 == 0 && j % 2 == 0;
        h[i][j] = (byte) (x == 0 ? (first ? 1 : -1) : both ? -x : x);
      }
    }
    return h;
  }

  private static byte[][] williamson() {
    int[] classOf = new int[CIRCULANT];
    int power = 1;
    for (int c = 0; c < 7; c++) {
      for (int member : COSET) {
        classOf[power * member % CIRCULANT] = c;
      }
      power = power * 3 % CIRCULANT;
    }
    // Which circulant stands in each place, and with which sign.
    int[][] places = {{1, 2, 3, 4}, {-2, 1, -4, 3}, {-3, 4, 1, -2}, {-4, -3, 2, 1}};
    byte[][] h = new byte[WILLIAMSON][WILLIAMSON];
    for (int i = 0; i < WILLIAMSON; i++) {
      for (int j = 0; j < WILLIAMSON; j++) {
        int place = places[i / CIRCULANT][j / CIRCULANT];
        int at = Math.floorMod(j - i, CIRCULANT);
        boolean plus = at == 0 || (CLASSES[Math.abs(place) - 1] >> classOf[at] & 1) == 1;
        h[i][j] = (byte) (plus == place > 0 ? 1 : -1);
      }
    }
    return h;
  }
}
