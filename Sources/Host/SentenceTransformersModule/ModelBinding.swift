// `st.SentenceTransformer`: loading, encoding, similarity and saving.

public import LuaBridge
public import Training

extension SentenceTransformer: LuaObject {}
