#include "equipoise/report/assets.h"

namespace equipoise::report {

// The page is complete without it. Texts go in as text nodes, never as markup. Pointer, and arrow keys for those who use no
// pointer; what has a title shows it beside the pointer. Each figure can be taken away as SVG, PNG (at twice its size) and PDF
// (by the browser's own printing of the figure alone, so text stays text), with its mark when it is simulated, and its numbers as
// CSV with the R code that draws them.
const std::string_view script = R"js(
(function(){"use strict";
var ns="http://www.w3.org/2000/svg";
function make(tag,attributes,parent){var e=document.createElementNS(ns,tag);for(var k in attributes)e.setAttribute(k,attributes[k]);parent.appendChild(e);return e;}
document.querySelectorAll("[data-km]").forEach(function(box){
  var d=JSON.parse(box.getAttribute("data-km")),svg=box.querySelector("svg"),layer=null,at=null;
  function last(t,x){var i=-1;while(i+1<t.length&&t[i+1]<=x)i++;return i;}
  function show(day){
    day=Math.max(0,Math.min(d.horizon,Math.round(day)));at=day;
    if(layer)layer.remove();
    layer=make("g",{"class":"hover"},svg);
    var x=d.left+day/d.horizon*(d.right-d.left);
    make("path",{d:"M"+x+" "+d.top+"V"+d.bottom,fill:"none",stroke:"#98a2b3"},layer);
    var lines=d.arms.map(function(a){
      var i=last(a.t,day),j=0;while(j<a.t.length&&a.t[j]<day)j++;
      var s=i<0?1:a.s[i],n=j<a.t.length?a.n[j]:0;
      return {slot:a.slot,text:a.name+"  "+(s===null?"NE":(100*s).toFixed(1)+"%")+"  ·  "+n+" "+d.risk};
    });
    var frame=make("rect",{rx:7,y:d.top+6,height:30+lines.length*19},layer);
    var texts=[make("text",{y:d.top+26,"font-size":13,"font-weight":600,"class":"ink",fill:"#1c2430"},layer)];
    texts[0].textContent=d.day.replace("{d}",day);
    lines.forEach(function(l,i){var t=make("text",{y:d.top+45+19*i,"font-size":13,"class":"ink",fill:"#1c2430"},layer);t.textContent=l.text;texts.push(t);
      });
    var width=Math.max.apply(null,texts.map(function(t){return t.getComputedTextLength();}))+24;
    var left=x+12+width>d.right?Math.max(0,x-12-width):x+12;
    frame.setAttribute("x",left);frame.setAttribute("width",width);
    texts.forEach(function(t){t.setAttribute("x",left+12);});
  }
  function hide(){if(layer)layer.remove();layer=null;at=null;}
  box.addEventListener("pointermove",function(e){
    var m=svg.getScreenCTM();if(!m)return;
    var p=new DOMPoint(e.clientX,e.clientY).matrixTransform(m.inverse());
    if(p.x<d.left-6||p.x>d.right+6||p.y<d.top-6||p.y>d.bottom+6)hide();else show((p.x-d.left)/(d.right-d.left)*d.horizon);
  });
  box.addEventListener("pointerleave",hide);
  box.addEventListener("blur",hide);
  box.addEventListener("keydown",function(e){
    if(e.key==="Escape")hide();
    if(e.key!=="ArrowLeft"&&e.key!=="ArrowRight")return;
    e.preventDefault();var step=(e.shiftKey?10:1)*(e.key==="ArrowLeft"?-1:1);show(at===null?0:at+step);
  });
});
document.querySelectorAll(".plot svg").forEach(function(svg){
  var layer=null;
  svg.querySelectorAll(".tip").forEach(function(g){
    var t=g.querySelector("title");if(!t)return;
    g.setAttribute("data-tip",t.textContent);t.remove();
  });
  function hide(){if(layer)layer.remove();layer=null;}
  svg.addEventListener("pointermove",function(e){
    var g=e.target.closest?e.target.closest(".tip"):null,m=svg.getScreenCTM();hide();
    if(!g||!m)return;
    var p=new DOMPoint(e.clientX,e.clientY).matrixTransform(m.inverse()),box=svg.viewBox.baseVal;
    layer=make("g",{"class":"hover"},svg);
    var frame=make("rect",{rx:6,height:26},layer),text=make("text",{"font-size":13,"class":"ink",fill:"#1c2430"},layer);
    text.textContent=g.getAttribute("data-tip");
    var width=text.getComputedTextLength()+20,x=p.x+14+width>box.width?Math.max(2,p.x-14-width):p.x+14,y=p.y<40?p.y+16:p.y-36;
    frame.setAttribute("x",x);frame.setAttribute("y",y);frame.setAttribute("width",width);
    text.setAttribute("x",x+10);text.setAttribute("y",y+17.5);
  });
  svg.addEventListener("pointerleave",hide);
});
var chinese=document.documentElement.lang.indexOf("zh")===0;
function save(name,blob){var a=document.createElement("a"),url=URL.createObjectURL(blob);a.href=url;a.download=name;a.click();setTimeout(function(){URL.revokeObjectURL(url);},1000);}
function alone(svg){
  var copy=svg.cloneNode(true),box=svg.viewBox.baseVal;
  copy.querySelectorAll(".hover").forEach(function(e){e.remove();});
  copy.querySelectorAll("[data-tip]").forEach(function(g){
    var t=document.createElementNS(ns,"title");t.textContent=g.getAttribute("data-tip");g.removeAttribute("data-tip");g.insertBefore(t,g.firstChild);
  });
  copy.setAttribute("xmlns",ns);copy.setAttribute("width",box.width);copy.setAttribute("height",box.height);
  copy.setAttribute("font-family","Helvetica, Arial, 'Noto Sans', 'Noto Sans CJK SC', sans-serif");
  var white=document.createElementNS(ns,"rect");
  white.setAttribute("width",box.width);white.setAttribute("height",box.height);white.setAttribute("fill","#fff");
  copy.insertBefore(white,copy.firstChild);
  return {text:new XMLSerializer().serializeToString(copy),width:box.width,height:box.height};
}
document.querySelectorAll("figure.panel").forEach(function(figure){
  var svg=figure.querySelector(".plot svg,[data-km] svg"),number=figure.querySelector(".number");
  if(!svg||!number||!svg.viewBox.baseVal)return;
  var name=number.textContent.trim().replace(/[^0-9A-Za-z.]+/g,"-").replace(/^-+|-+$/g,"").toLowerCase()||"figure";
  var bar=document.createElement("div");bar.className="take";
  function file(kind){var t=figure.querySelector("template."+kind);return t?t.content.textContent:null;}
  function take(kind,act){
    var button=document.createElement("button");button.type="button";button.textContent=kind;
    button.setAttribute("aria-label",(chinese?"下载 "+kind+"：":"Download as "+kind+": ")+number.textContent);
    button.addEventListener("click",act);bar.appendChild(button);
  }
  take("SVG",function(){save(name+".svg",new Blob([alone(svg).text],{type:"image/svg+xml"}));});
  take("PNG",function(){
    var made=alone(svg),image=new Image();
    image.onload=function(){
      var canvas=document.createElement("canvas");canvas.width=2*made.width;canvas.height=2*made.height;
      canvas.getContext("2d").drawImage(image,0,0,canvas.width,canvas.height);
      canvas.toBlob(function(blob){save(name+".png",blob);},"image/png");
    };
    image.setAttribute("src","data:image/svg+xml;charset=utf-8,"+encodeURIComponent(made.text));
  });
  take("PDF",function(){
    var made=alone(svg),old=document.title,sheet=document.createElement("style"),holder=document.createElement("div");
    sheet.textContent="@page{size:"+made.width+"px "+made.height+"px;margin:0}"+
      "@media print{body>*:not(.alone){display:none!important}body>.alone{display:block!important;position:fixed;inset:0}.alone svg{width:"+made.width+"px;height:"+made.height+"px}}";
    holder.className="alone";holder.style.display="none";
    holder.appendChild(document.importNode(new DOMParser().parseFromString(made.text,"image/svg+xml").documentElement,true));
    document.head.appendChild(sheet);document.body.appendChild(holder);document.title=name;
    function done(){sheet.remove();holder.remove();document.title=old;window.removeEventListener("afterprint",done);}
    window.addEventListener("afterprint",done);
    window.print();
  });
  ["CSV","R"].forEach(function(kind){
    var text=file(kind.toLowerCase());
    if(text!==null)take(kind,function(){save(name+(kind==="CSV"?".csv":".R"),new Blob([text],{type:kind==="CSV"?"text/csv":"text/plain"}));});
  });
  figure.querySelector("figcaption").appendChild(bar);
});
})();
)js";

}  // namespace equipoise::report
