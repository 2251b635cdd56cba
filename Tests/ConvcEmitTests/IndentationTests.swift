import Testing

@testable import ConvcEmit

@Suite("Indentation")
struct IndentationTests {
  private static func check(_ text: String, _ expected: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(Indentation.byBlocks(lines).joined(separator: "\n") == expected)
  }

  @Test("moves the body of a loop that was left out")
  func leftOut() {
    Self.check(
      """
      // A function.
      static void f(int n, const float *x,
                    float *y) {
          const int last = n - 1;
              // the body
              for (int i = 0; i < n; i++) {
                  y[i] = sum(x[i],
                             x[last]);
              }

              #ifdef A
              y[0] = 0;
      }
      """,
      """
      // A function.
      static void f(int n, const float *x,
                    float *y) {
          const int last = n - 1;
          // the body
          for (int i = 0; i < n; i++) {
              y[i] = sum(x[i],
                         x[last]);
          }

              #ifdef A
          y[0] = 0;
      }
      """)
  }

  @Test("keeps what is right: headers without braces, directives, conditions, initializers")
  func right() {
    let text = """
      __attribute__((visibility("hidden")))
      void f(int n) {
          static const struct {
              int a;
          } ranges[] = {
              {0}, {1},
          };
          OMP(omp for collapse(2))
          for (int i = 0; i < n; i++)
              for (int j = 0; j < n; j++) {
                  if (j > i)
                      a[i] = 1;
                  else
                      a[i] =
                          2;  // {
                  UNROLL for (int t = 0; t < 4; t++)
                      b[t] += c[t] *
                              d[t];
              }
          if (n > 1 ||
              n < 0) {
              n = 0;
          } else {
              n = 1;
          }
      }
      void g(void) {
          f(1);
      }
      """
    Self.check(text, text)
  }
}
