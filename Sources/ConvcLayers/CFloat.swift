/// A float as C text: its shortest exact form.
func cFloat(_ value: Float) -> String {
  let text = "\(value)"
  return text.contains(".") || text.contains("e") ? text + "f" : text + ".0f"
}
