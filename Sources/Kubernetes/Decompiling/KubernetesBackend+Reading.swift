public import Firewalls

extension KubernetesBackend {
  /// Returns what manifests make a cluster do, as the documentation of the Kubernetes API has it.
  ///
  /// They may be those that are made here or anyone's: YAML or JSON, several objects in a file, lists. If there is a
  /// `kustomization.yaml`, what it does not list is not read. What has no meaning here is named in the rules.
  ///
  /// - Throws: `UnreadableRuleset` if a file is no YAML or an object is not as its API wants it.
  public static func read(_ artefacts: [Artefact]) throws(UnreadableRuleset) -> ClusterRules? {
    do throws(ManifestError) {
      var decompiler = Decompiler()
      var objects: [ForeignObject] = []
      for file in try decompiler.applied(artefacts) {
        let documents: [YAMLStream.Document]
        do throws(ManifestError) {
          documents = try YAMLStream.locatedDocuments(of: file.text)
        } catch {
          throw ManifestError("\(file.path): \(error.place)", error.message)
        }
        for document in documents { try objects.append(contentsOf: ForeignObject.objects(in: document, of: file.path)) }
      }
      try decompiler.read(objects)
      return decompiler.rules
    } catch {
      throw UnreadableRuleset(message: error.description)
    }
  }
}

extension ForeignObject {
  /// Returns the objects that `document` of the file `file` describes: one, or those of a list.
  fileprivate static func objects(
    in document: YAMLStream.Document, of file: String
  ) throws(ManifestError) -> [ForeignObject] {
    let object = try ForeignObject(document.value, in: file, line: document.line)
    guard object.kind.hasSuffix("List") else { return [object] }
    var content = object.content
    let items = try content.items("items") ?? []
    // A list has no other list in it, or else only the whole has a place.
    let lines = items.count == document.itemLines.count ? document.itemLines : items.map { _ in document.line }
    var result: [ForeignObject] = []
    for (item, line) in zip(items, lines) { result.append(try ForeignObject(item, in: file, line: line)) }
    return result
  }
}

extension Decompiler {
  /// Returns those of `artefacts` that kubectl would apply: those that the kustomization lists, if there is one.
  fileprivate mutating func applied(_ artefacts: [Artefact]) throws(ManifestError) -> [Artefact] {
    let path = Kustomization.path
    guard let kustomization = artefacts.first(where: { $0.path == path }) else { return artefacts }
    var fields = try ForeignFields(YAMLStream.documents(of: kustomization.text).first, at: "\(path):")
    fields.skip("apiVersion", "kind", "metadata", "commonAnnotations")
    for var label in try fields.mappings("labels") {
      label.skip("pairs", "fields")
      for key in ["includeSelectors", "includeTemplates"] where try label.boolean(key) == true {
        throw ManifestError(label.path(of: key), "it changes selectors: read the output of `kubectl kustomize`")
      }
      nameUnknown(label)
    }
    let listed = try fields.list("resources") ?? []
    if let unknown = fields.unknown.first {
      throw ManifestError(unknown, "it changes objects: read the output of `kubectl kustomize`")
    }
    let byPath = Dictionary(artefacts.map { ($0.path, $0) }) { first, _ in first }
    var result: [Artefact] = []
    for name in listed {
      guard let artefact = byPath[name] else { throw ManifestError(path, "`\(name)` is listed and not here") }
      result.append(artefact)
    }
    let applied = Set(listed + [path])
    for artefact in artefacts where !applied.contains(artefact.path) {
      unknown("\(artefact.path): \(path) does not list it")
    }
    return result
  }
}
